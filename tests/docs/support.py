"""What the documents say: links, code blocks and tables."""

import re
from pathlib import Path

from cinematch_dagster.settings import ROOT

GUIDES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *GUIDES]

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [code for found, code in _FENCED.findall(path.read_text()) if found == language]


def prose(path: Path) -> str:
    """The text without its fenced blocks."""
    return _FENCED.sub("", path.read_text())


def links(path: Path) -> list[str]:
    """Where the links and pictures point to, but for other servers."""
    return [link for link in _LINK.findall(prose(path)) if "://" not in link]


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def section(path: Path, heading: str) -> str:
    """The text under a heading, up to the next one of any level."""
    parts = re.split(r"^(#+ .+)$", path.read_text(), flags=re.MULTILINE)
    titles = [title.lstrip("# ") for title in parts[1::2]]
    return parts[2::2][titles.index(heading)]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without headings; backticks are left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table = [
        [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines
    ]
    rules = {n for n, row in enumerate(table) if set("".join(row)) == {"-"}}
    return [row for n, row in enumerate(table) if n not in rules and n + 1 not in rules]
