"""Tables and pictures as metadata that Dagster's UI shows."""

import base64
from collections.abc import Iterable

import dagster as dg


def markdown_table(head: list[str], rows: Iterable[list[str]]) -> dg.MarkdownMetadataValue:
    """Return a table of texts; every row has as many cells as the head."""
    lines = [head, ["---"] * len(head), *rows]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(cells)} |" for cells in lines))


def picture(content: bytes, kind: str, name: str) -> dg.MarkdownMetadataValue:
    """Put a picture into Markdown itself, which is where the UI allows `data:` addresses.

    Args:
        content: of the picture's file.
        kind: the subtype of its media type: `png`, `svg+xml`.
        name: what is read out in its place.
    """
    encoded = base64.b64encode(content).decode()
    return dg.MetadataValue.md(f"![{name}](data:image/{kind};base64,{encoded})")
