"""The protocol's document, which is all that this package knows of the house: its examples and tables."""

import json
import os
import re
from pathlib import Path
from typing import Any

TEXT = Path(os.environ.get("CARDHOUSE_DOCUMENT", Path(__file__).resolve().parents[3] / "docs" / "protocol.md")).read_text()


def examples(kind: str) -> list[Any]:
    """All JSON values of the blocks that are marked as this kind."""
    found: list[Any] = []
    for block in re.findall(rf"^```json {kind}\n(.*?)^```", TEXT, re.M | re.S):
        decoder, at = json.JSONDecoder(), 0
        while at < len(block):
            value, at = decoder.raw_decode(block, at)
            found.append(value)
            at += len(block[at:]) - len(block[at:].lstrip())
    assert found, f"the document has examples of {kind}"
    return found


def table_rows(title: str) -> list[list[str]]:
    """The cells of the table whose head begins with this title."""
    head = TEXT.index(f"\n| {title} |")
    rows = TEXT[head + 1 : TEXT.index("\n\n", head)].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
