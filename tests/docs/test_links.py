from pathlib import Path

import pytest

from cinematch_dagster.settings import ROOT
from tests.docs.support import DOCUMENTS, GUIDES, anchors, links, name

LARGEST_PICTURE = 200_000
FOUND = [(path, link) for path in DOCUMENTS for link in links(path)]


@pytest.mark.parametrize(("path", "link"), FOUND, ids=lambda x: name(x) if x in DOCUMENTS else x)
def test_a_link_leads_somewhere(path: Path, link: str) -> None:
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    assert target.is_relative_to(ROOT)
    assert target.exists()
    if anchor:
        assert anchor in anchors(target)


def test_every_guide_can_be_reached_from_the_readme() -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        targets = {
            (path.parent / link.partition("#")[0]).resolve()
            for path in new
            if path.suffix == ".md"
            for link in links(path)
        }
        new = targets - reached
    assert set(GUIDES) <= reached


def test_pictures_are_small_and_used() -> None:
    shown = {(path.parent / link).resolve() for path, link in FOUND if link.endswith(".png")}
    pictures = set((ROOT / "docs" / "images").iterdir())
    assert pictures == shown
    assert all(picture.stat().st_size < LARGEST_PICTURE for picture in pictures)


def test_no_document_names_a_folder_of_this_machine() -> None:
    assert [name(p) for p in DOCUMENTS if str(ROOT) in p.read_text()] == []
