"""How many weights models have, from tables: else they would have to be built to be counted."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def parameters_of(library: str, name: str) -> int | None:
    """Return the number of weights, the source head included; None for what the table does not have."""
    return _table(library).get(name)


@cache
def _table(library: str) -> dict[str, int]:
    text = Path(__file__).with_name(f"{library}_parameters.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {name: int(count) for name, count in rows}
