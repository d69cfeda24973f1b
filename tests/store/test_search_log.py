"""What a store keeps of its last search."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from assay.core.estimate import Interval
from assay.findings.search import MissBound, ScreenedModel, SearchFindings, StopReason, UntriedModel
from assay.store.arrays import Arrays
from assay.store.search_log import read_search, write_search

SEARCH = SearchFindings(
    candidates=3,
    finished=("a",),
    screened=(ScreenedModel("c", 128, {"photos": (0.5, Interval(0.4, 0.6))}, is_ruled_out=True),),
    failed={"d": "too large"},
    left_out={"too slow": 2},
    untried=("b",),
    stop=StopReason.BUDGET,
    seconds=9.0,
    curve=((8.0, (0.7,)),),
    expected_regret={"photos": 0.1},
    bound=MissBound(0.2, 1, 12),
    contaminated=("a",),
    contaminated_by={"a": ("photos",)},
    tasks=("photos",),
    promising=(UntriedModel("b", {"photos": (0.6, 0.1)}),),
)


def test_a_search_comes_back_as_it_was_written(tmp_path):
    write_search(Arrays(tmp_path), SEARCH)

    assert read_search(Arrays(tmp_path)) == SEARCH


def test_a_search_of_an_older_version_is_read_without_what_it_did_not_keep(tmp_path):
    written = asdict(SEARCH)
    for name in ("tasks", "contaminated_by", "promising"):
        del written[name]

    Arrays(tmp_path).write_text("search", "last", json.dumps(written))

    assert read_search(Arrays(tmp_path)) == replace(SEARCH, contaminated_by={}, promising=())
