import re
from collections.abc import Mapping

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import serving.settings
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.settings import ROOT, Settings
from tests.docs.support import DOCUMENTS, GUIDES, prose, rows

CELLS = {
    row[0]: row[1]
    for path in GUIDES
    for row in rows(prose(path))
    if len(row) == 3 and re.fullmatch(r"(?!serving\.)[a-z_]+(\.\w+)+|CINEMATCH_\w+", row[0])
}


def defaults(model: type[BaseModel], prefix: str) -> dict[str, str]:
    """Each key and its default as a guide writes it."""
    return {
        prefix + name: written(field.get_default(call_default_factory=True))
        for name, field in model.model_fields.items()
    }


def written(value: object) -> str:
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).removeprefix(f"{ROOT}/")


def sections() -> dict[str, type[BaseModel]]:
    fields = Settings.model_fields.items()
    return {name: type(f.default) for name, f in fields if isinstance(f.default, BaseModel)}


HEADS: dict[str, Mapping[str, type[BaseModel]]] = {
    "training.rating": RATING_HEADS,
    "training.ranking": RANKING_HEADS,
}
"""Tables of the settings that an algorithm is chosen in; its keys are listed by its name."""
SECTIONS = {
    key: value
    for section, model in sections().items()
    for key, value in defaults(model, f"{section}.").items()
    if key not in HEADS
} | {
    f"{head}.algorithm": getattr(Settings().training, head.partition(".")[2]).algorithm
    for head in HEADS
}
ALGORITHMS = {
    key: value
    for kinds in HEADS.values()
    for name, kind in kinds.items()
    for key, value in defaults(kind, f"{name}.").items()
    if not key.endswith(".algorithm")
}
MACHINE = {
    f"CINEMATCH_{name.upper()}": value
    for name, value in defaults(Settings, "").items()
    if name not in sections()
}
SERVING = {
    k.upper(): v for k, v in defaults(serving.settings.Settings, "cinematch_serving_").items()
}
ALL = SECTIONS | ALGORITHMS | MACHINE | SERVING


def test_there_is_a_row_for_every_setting_and_for_no_other() -> None:
    assert set(CELLS) == set(ALL)


@pytest.mark.parametrize("key", ALL)
def test_a_guide_gives_the_default(key: str) -> None:
    assert CELLS[key] == ALL[key]


def test_every_variable_that_a_document_names_is_a_setting() -> None:
    texts = "\n".join(path.read_text() for path in DOCUMENTS)
    named = set(re.findall(r"CINEMATCH_\w+", texts))
    chosen = {
        f"{head}.{key}"
        for head, kinds in HEADS.items()
        for k in kinds.values()
        for key in k.model_fields
    }
    overridden = {f"CINEMATCH_{key.replace('.', '__')}".upper() for key in {*SECTIONS, *chosen}}
    assert named - set(ALL) - overridden == set()


def test_every_variable_of_a_machine_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    assert {name for name in MACHINE | SERVING if f"{name}=" not in example} == set()
