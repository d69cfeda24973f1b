"""How many weights models of timm have, from a table: else they would have to be built to be counted."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def parameters_of(name: str) -> int | None:
    """Return the number of weights, the source head included; None for what the table does not have."""
    return _table().get(name)


@cache
def _table() -> dict[str, int]:
    text = Path(__file__).with_name("parameters.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {name: int(count) for name, count in rows}
