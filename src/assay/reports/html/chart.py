"""A chart of a page: its caption, its rows of data and its Vega-Lite spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]  # the format of Vega-Lite, whose schema Altair holds
Row = Mapping[str, float | str | bool | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its caption and data.

    Attributes:
        anchor: Its anchor in the page, and the name of the file for saving it.
        caption: What it shows, in a sentence or two.
        spec: The Vega-Lite spec without rows; charts of one kind share it.
        rows: One row for each mark, all with the same keys.
        height: Height in pixels.
    """

    anchor: str
    caption: str
    spec: Spec
    rows: Sequence[Row]
    height: int
