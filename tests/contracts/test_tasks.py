from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.families import TASKS
from assay.testing.tasks import TaskContract


def folder_address(place: Path) -> str:
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (place / name).mkdir()
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(
                place / name / f"{number}.png"
            )
    return f"folder:{place}"


def table_address(place: Path) -> str:
    rows = [f"text number {number},{'no' if number % 3 else 'yes'}" for number in range(30)]
    (place / "rows.csv").write_text("\n".join(["text,label", *rows]))
    return f"table:{place / 'rows.csv'}"


def regression_address(place: Path) -> str:
    rows = [f"text {number}\tother {number}\t{number / 7:.3f}" for number in range(30)]
    (place / "rows.tsv").write_text("\n".join(["sentence1\tsentence2\tscore", *rows]))
    return f"table:{place / 'rows.tsv'}"


ADDRESSES: dict[str, Callable[[Path], str]] = {
    "docstrings": lambda place: "docstrings:numpy+scipy(per_class=10)",
    "folder": folder_address,
    "skimage": lambda place: "skimage:patches(size=16, per_class=5)",
    "sklearn": lambda place: "sklearn:digits(limit=100)",
    "table": table_address,
    "table of pairs": regression_address,
}


class TestTaskSources(TaskContract):
    @pytest.fixture(params=sorted(ADDRESSES))
    def address(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        return ADDRESSES[request.param](tmp_path)


def test_every_task_source_is_under_the_contract() -> None:
    assert set(TASKS.names()) <= set(ADDRESSES)


def test_every_task_source_has_a_summary() -> None:
    assert all(TASKS.load(name).summary for name in TASKS.names())
