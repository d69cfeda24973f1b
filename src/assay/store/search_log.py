"""The log of searches in a store: how long models took to open in each step, and the last outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from assay.core.estimate import Interval
from assay.findings.search import MissBound, ScreenedModel, SearchFindings, StopReason, UntriedModel
from assay.store.arrays import Arrays

SHELF = "search"
_OPENINGS, _LAST = "openings", "last"


class SetupCost(NamedTuple):
    """What a step of a search took besides its jobs.

    Attributes:
        seconds: Above all to open the model.
        downloaded: The bytes that were downloaded for that.
    """

    seconds: float = 0.0
    downloaded: float = 0.0


def write_openings(arrays: Arrays, openings: Mapping[str, SetupCost]) -> None:
    """Write what steps took besides their jobs, by their first key, in the order in which they ended."""
    arrays.write_text(SHELF, _OPENINGS, json.dumps(dict(openings)))


def read_openings(arrays: Arrays) -> dict[str, SetupCost]:
    """Return the seconds of steps outside their jobs, by first key; empty if nothing is known."""
    return arrays.read_json(SHELF, _OPENINGS, _openings_of) or {}


def write_search(arrays: Arrays, search: SearchFindings) -> None:
    """Write how a search went, replacing an earlier one."""
    arrays.write_text(SHELF, _LAST, json.dumps(asdict(search)))


def read_search(arrays: Arrays) -> SearchFindings | None:
    """Return how the last search of a store went; None without any."""
    return arrays.read_json(SHELF, _LAST, _search_of)


def forget_search(arrays: Arrays) -> None:
    """Remove what is kept of the last search: the last run was none."""
    arrays.remove_text(SHELF, _LAST)


def _openings_of(written: Any) -> dict[str, SetupCost]:
    """Return openings; before downloads were kept, each was a number."""
    return {
        str(key): SetupCost(*map(float, one if isinstance(one, list) else [one]))
        for key, one in written.items()
    }


def _search_of(written: Any) -> SearchFindings:
    screened = tuple(
        ScreenedModel(
            one["model"],
            one["examples"],
            {task: (value, Interval(**interval)) for task, (value, interval) in one["values"].items()},
            one["is_ruled_out"],
        )
        for one in written["screened"]
    )
    bound = None if written["bound"] is None else MissBound(**written["bound"])
    curve = tuple((seconds, tuple(values)) for seconds, values in written["curve"])
    lists = ("finished", "untried", "sources", "contaminated")
    return SearchFindings(
        **{
            **written,
            **{name: tuple(written[name]) for name in lists},
            "stop": StopReason(written["stop"]),
            "screened": screened,
            "bound": bound,
            "curve": curve,
            # before these were written, the tasks were known only once a model had finished
            "tasks": tuple(written.get("tasks", written["expected_regret"])),
            "contaminated_by": {
                model: tuple(words) for model, words in written.get("contaminated_by", {}).items()
            },
            "promising": tuple(
                UntriedModel(one["model"], {task: tuple(belief) for task, belief in one["beliefs"].items()})
                for one in written.get("promising", ())
            ),
        }
    )
