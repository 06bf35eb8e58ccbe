import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from serving.model import Answer, Model, ModelError
from serving.model.selfcheck import UNKNOWN, check
from tests.serving.support import broken_model, tiny_model


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.load(tiny_model(tmp_path / "model", "v1"))


def test_a_sound_model_passes(model: Model) -> None:
    check(model)


def test_lists_in_the_wrong_order_do_not(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"known user 2 was answered with movies out of order$"):
        check(Model.load(broken_model(tmp_path / "model")))


def change_first(answer: Answer, **changes: object) -> Answer:
    first, *others = answer.recommendations
    return replace(answer, recommendations=(replace(first, **changes), *others))  # type: ignore[arg-type]


def repeat(answer: Answer) -> Answer:
    return replace(answer, recommendations=answer.recommendations[:1] * 2)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda a: replace(a, recommendations=()), "no movies"),
        (lambda a: replace(a, fallback=not a.fallback), "fallback (True|False)"),
        (lambda a: change_first(a, score=math.nan), "not finite"),
        (lambda a: change_first(a, score=math.inf), "not finite"),
        (lambda a: change_first(a, predicted_rating=math.nan), "not finite"),
        (lambda a: change_first(a, score=-1000.0), "out of order"),
        (repeat, "a movie twice"),
    ],
)
@pytest.mark.parametrize("whose", ["known", "unknown", "sends a rating"])
def test_a_spoilt_answer_does_not_pass(
    model: Model,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Answer], Answer],
    problem: str,
    whose: str,
) -> None:
    sound = model.recommend

    def recommend(
        user_id: int,
        top_k: int,
        ratings: Mapping[int, float] | None = None,
        genres: Sequence[str] = (),
    ) -> Answer:
        answer = sound(user_id, top_k, ratings, genres)
        asked = "sends a rating" if ratings else "unknown" if user_id == UNKNOWN else "known"
        return spoil(answer) if asked == whose else answer

    monkeypatch.setattr(model, "recommend", recommend)
    with pytest.raises(ModelError, match=problem):
        check(model)
