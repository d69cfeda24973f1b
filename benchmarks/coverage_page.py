"""What became of the models of a zoo, kept line by line, and the page that counts it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
KEPT = FOLDER / "benchmarks" / "coverage"
SHAPES = "shapes only"

INTRODUCTION = """# Coverage

Written by `benchmarks/coverage.py` from the rows in `benchmarks/coverage/`; do not edit. Every architecture
opens with random weights through its source, at the smallest of a few input sizes that it takes, and encodes
three examples together and one by one. Names that differ in their weights alone share an architecture, which
is opened once; of each name the preprocessing is read. *Width*: as many features as the library says.
Where it says nothing, that is not counted against it. *Batch*: an example has the same features alone and
among others. *Shapes only*: too large to be held beside other work, or not held yet, so computed without
memory; whether those are batch-invariant is not known. *Passed*: of those looked at, the share that opens,
has the right width and was seen to be batch-invariant: what was not tried has not passed. Of transformers
there is one tiny configuration of each family, of OpenCLIP small towers whose tokenizer comes with the
package.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one architecture.

    Attributes:
        names: How many names share it.
        parameters: Weights, the source head included.
        width_right: Whether features are as wide as the library says; None where it does not say.
        batch_invariant: Whether an example has the same features alone; None where that was not tried.
        how: In which size, or why not.
    """

    zoo: str
    name: str
    names: int
    opened: bool
    parameters: int = 0
    width_right: bool | None = None
    batch_invariant: bool | None = None
    how: str = ""
    seconds: float = 0.0


def read(zoo: str) -> dict[str, Found]:
    """Return what was found last of each model."""
    path = KEPT / f"{zoo}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return {found.name: found for found in (Found(**json.loads(line)) for line in lines)}


def good(found: Found) -> bool:
    return found.opened and found.width_right is not False and found.batch_invariant is not False


def passed(found: Found) -> bool:
    """Tell whether all was tried, and all was right."""
    return good(found) and found.batch_invariant is True


def page(zoos: Mapping[str, Mapping[str, Found]], listed: Mapping[str, int]) -> str:
    """Return the page.

    Args:
        zoos: What was found, by zoo and name.
        listed: How many architectures each zoo has.
    """
    parts = [INTRODUCTION, *_counts(zoos, listed)]
    left = {zoo: listed[zoo] - len(found) for zoo, found in zoos.items() if len(found) < listed[zoo]}
    if left:
        shown = ", ".join(f"{count:,} of {zoo}" for zoo, count in left.items())
        parts += [
            "",
            f"**Not finished**: {shown} are not looked at yet, the largest; the same command continues.",
        ]
    for zoo, found in zoos.items():
        tried = [one for one in found.values() if one.how != SHAPES]
        bad = sorted((one for one in tried if not passed(one)), key=lambda one: one.name.lower())
        if bad:
            parts += ["", f"## What did not pass: {zoo}", "", *_rows(bad)]
    return "\n".join(parts) + "\n"


def _counts(zoos: Mapping[str, Mapping[str, Found]], listed: Mapping[str, int]) -> Iterable[str]:
    heads = (
        "zoo",
        "architectures",
        "looked at",
        "opened",
        "shapes only",
        "width",
        "batch",
        "names",
        "passed",
    )
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for zoo, by_name in zoos.items():
        here = list(by_name.values())
        if not here:
            continue
        names = sum(one.names for one in here)
        counts = (
            listed[zoo],
            len(here),
            sum(one.opened for one in here),
            sum(one.how == SHAPES for one in here),
            sum(one.opened and one.width_right is not False for one in here),
            sum(one.batch_invariant is True for one in here),
            names,
        )
        share = sum(passed(one) for one in here) / len(here)
        yield f"| {zoo} | {' | '.join(f'{count:,}' for count in counts)} | {share:.1%} |"


def _rows(bad: Iterable[Found]) -> Iterable[str]:
    yield "| architecture | opened | width | batch | why not |"
    yield "|---|---|---|---|---|"
    words = {True: "yes", False: "**no**", None: "–"}
    for one in bad:
        marks = " | ".join(words[mark] for mark in (one.opened, one.width_right, one.batch_invariant))
        yield f"| {one.name} | {marks} | {one.how.replace('|', '/')} |"
