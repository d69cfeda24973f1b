"""Places models in a plot of value against latency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

from assay.analysis.axes import Axis, axis_around
from assay.analysis.names import shorten, width_of
from assay.analysis.wording import count, duration, value_text
from assay.core.comparison import ModelRow, Standing, TaskFindings

SHARE_ON_AXIS = 0.75  # of the models, the best: one that is far behind would press the others together

_WIDTH, _HEIGHT = 720.0, 320.0  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 24.0, 20.0, 48.0
_LINE = 14.0  # pixels from one line of letters to the next
_LABEL_COLUMNS = 28
_LETTER = 6.6  # pixels of a letter, at most
_LARGEST, _LARGEST_OF_MANY, _SMALLEST = 13.0, 8.0, 4.0  # pixels of a mark's radius
_MANY = 25  # models


@dataclass(frozen=True, slots=True)
class Label:
    """A text, where it stands, and which of its ends stands there."""

    text: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One model: where its mark stands, and what it tells on hover; a label where there is room."""

    model: str
    label: Label | None
    x: float
    y: float
    radius: float
    is_front: bool
    told: str


class _Box(NamedTuple):
    """The room that a label takes, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class LatencyPlot:
    """The plot, in pixels; ticks are places with their text.

    Attributes:
        front: The points of the line that joins the models which no other beats in both.
        below: How many models are too far behind to be shown.
    """

    marks: tuple[Mark, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    front: str
    below: int
    width: float = _WIDTH
    height: float = _HEIGHT


def better_part(standings: Sequence[Standing]) -> Sequence[Standing]:
    """Return the models that decide how far an axis goes, best first as they came."""
    return standings[: max(2, ceil(len(standings) * SHARE_ON_AXIS))]


def latency_plot(findings: TaskFindings, models: Mapping[str, ModelRow]) -> LatencyPlot | None:
    """Return value against latency; None where fewer than two models have both."""
    timed = [one for one in findings.standings if one.model in models and models[one.model].latency_seconds]
    if len(timed) < 2:
        return None
    deciding = [*better_part(timed), *(one for one in timed if one.model in findings.pareto)]
    up = axis_around([one.value for one in deciding], _HEIGHT - _BOTTOM, _TOP)
    shown = [one for one in timed if one.value >= up.low]
    latencies = [models[one.model].latency_seconds or 0.0 for one in shown]
    across = axis_around(latencies, _LEFT, _WIDTH - _RIGHT, is_logarithmic=True)
    marks = _marks(findings, shown, models, across, up)
    front = [mark for mark in sorted(marks, key=lambda mark: mark.x) if mark.is_front]
    return LatencyPlot(
        marks=tuple(marks),
        x_ticks=tuple((across.place(tick), _tick_text(tick)) for tick in across.ticks()),
        y_ticks=_value_ticks(up, negated=findings.shown_negated),
        front=" ".join(f"{mark.x},{mark.y}" for mark in front),
        below=len(timed) - len(shown),
    )


def _marks(
    findings: TaskFindings, shown: Sequence[Standing], models: Mapping[str, ModelRow], across: Axis, up: Axis
) -> list[Mark]:
    largest = max(models[one.model].facts.parameters for one in shown) or 1
    widest = _LARGEST if len(shown) <= _MANY else _LARGEST_OF_MANY
    marks = []
    for one in shown:
        row = models[one.model]
        latency = row.latency_seconds or 0.0
        value = value_text(one.value, negated=findings.shown_negated)
        mark = Mark(
            model=one.model,
            label=None,
            x=across.place(latency),
            y=up.place(one.value),
            radius=round(max(_SMALLEST, widest * sqrt(row.facts.parameters / largest)), 1),
            is_front=one.model in findings.pareto,
            told=f"{one.model}: {value} {findings.measure}, {duration(latency)}, "
            f"{count(row.facts.parameters)} parameters",
        )
        marks.append(mark)
    chosen = [mark for mark in marks if mark.is_front or mark.model == findings.recommended]
    labels = _labels(sorted(chosen, key=lambda mark: mark.model != findings.recommended))
    return [replace(mark, label=labels.get(mark.model)) for mark in marks]


def _labels(marks: Sequence[Mark]) -> dict[str, Label]:
    """Return a label beside each mark, the first marks first; one that finds no room is left out."""
    texts = shorten([_plain_name(mark.model) for mark in marks], _LABEL_COLUMNS)
    taken = [_Box(mark.x - 4, mark.y - 4, mark.x + 4, mark.y + 4) for mark in marks]
    found: dict[str, Label] = {}
    for mark in marks:
        text = texts[_plain_name(mark.model)]
        for label, box in _candidates(mark, text):
            is_inside = (
                box.left > _LEFT - 8 and box.right < _WIDTH and box.top > 0 and box.bottom < _HEIGHT - 40
            )
            if is_inside and not any(box.overlaps(other) for other in taken):
                found[mark.model] = label
                taken.append(box)
                break
    return found


def _candidates(mark: Mark, text: str) -> Iterator[tuple[Label, _Box]]:
    """Yield where a label may stand: right, left, above, below; the front rises past them all."""
    length, reach = width_of(text) * _LETTER, mark.radius + 5
    for x, y, anchor, start in (
        (mark.x + reach, mark.y + _LINE / 2, "start", mark.x + reach),
        (mark.x - reach, mark.y - _LINE / 2, "end", mark.x - reach - length),
        (mark.x, mark.y - mark.radius - _LINE / 2, "middle", mark.x - length / 2),
        (mark.x, mark.y + mark.radius + _LINE / 2, "middle", mark.x - length / 2),
    ):
        label = Label(text, round(x, 1), round(y + 4, 1), anchor)
        yield label, _Box(start, y - _LINE / 2, start + length, y + _LINE / 2)


def _plain_name(model: str) -> str:
    return model.partition(":")[2] or model


def _tick_text(seconds: float) -> str:
    number, _, unit = duration(seconds).partition(" ")
    return f"{number.rstrip('0').rstrip('.')} {unit}" if "." in number else f"{number} {unit}"


def _value_ticks(axis: Axis, *, negated: bool) -> tuple[tuple[float, str], ...]:
    ticks = axis.ticks()
    steps = [later - earlier for earlier, later in pairwise(ticks)]
    places = next(few for few in range(13) if np.isclose(np.round(steps or ticks, few), steps or ticks).all())
    return tuple((axis.place(tick), value_text(tick, negated=negated, places=places)) for tick in ticks)
