"""``assay measure`` as a person runs it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from tests.conftest import Zoo

from assay.actions.measure import MeasuredModel
from assay.cli.measured_speeds import show, watching
from assay.core.model import ModelFacts
from assay.core.result import Opened, Speed
from assay.findings.facts import ModelRow
from assay.store.results import Store

FACTS = ModelFacts(12, 36, 36, 144, "3 x any x any", "mean colour / 255", 0, "drawn", "a hash")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with a good model and a broken one."""
    store = Store(tmp_path / "store")
    for name in ("colours", "broken"):
        store.add_model(Opened(f"zoo:{name}", Zoo(name=name).identity(), FACTS))
    store.close()
    return tmp_path / "store"


def test_it_shows_progress_and_a_table_and_stores_the_rounds(assay, root):
    code, out, err = assay("measure", str(root), "-m", "zoo:colours", "--rounds", "2", "--device", "cpu")

    assert code == 0
    assert err.splitlines() == ["[1 of 2] colours, round 1 of 2", "[2 of 2] colours, round 2 of 2"]
    assert "latency" in out
    assert "colours" in out
    assert len(Store(root).measurements()) == 2


def test_a_model_that_fails_is_a_row_with_its_reason_and_exit_code_1(assay, root):
    code, out, _ = assay("measure", str(root), "--rounds", "1", "--device", "cpu")

    assert code == 1
    assert "broken: failed: its weights are missing" in out
    assert len(Store(root).measurements()) == 1


def test_a_wrong_request_says_what_to_write(assay, root):
    assert "There is no store in 'nowhere'" in assay("measure", "nowhere")[2]
    assert "Did you mean: colours" in assay("measure", str(root), "-m", "zoo:colour")[2]
    assert not Path("nowhere").exists()


def shown(*measured: MeasuredModel) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(measured, "a processor, 2 cores", console)
    return console.file.getvalue()


def test_the_table_says_which_latency_is_reliable_and_why_not():
    doubtful = ModelRow("timm:a", "1", FACTS, 0.065, 20.0, "its runs vary")
    good = ModelRow("timm:b", "1", FACTS, 0.07, 1000.0)
    failed = ModelRow("timm:c", "1", FACTS, None)

    lines = shown(
        MeasuredModel(doubtful, (Speed(0.065, load=0.5), Speed(0.13, load=3.25))),
        MeasuredModel(good, (Speed(0.07),)),
        MeasuredModel(failed, (), "it cannot be opened"),
    ).splitlines()

    assert lines[2].split() == ["a", "unreliable", "65.0", "ms", "100", "%", "20.0", "3.2"]
    assert lines[3].split() == ["b", "reliable", "70.0", "ms", "–", "1,000.0", "–"]
    assert lines[4].split() == ["c", "failed", "–", "–", "–", "–"]
    assert "a: unreliable: its runs vary" in lines
    assert "c: failed: it cannot be opened" in lines
    assert "Measure again while nothing else runs, or with more --rounds." in lines


def test_where_every_latency_is_reliable_there_is_nothing_to_do():
    good = ModelRow("timm:b", "1", FACTS, 0.07, 1000.0)

    assert "Measure again" not in shown(MeasuredModel(good, (Speed(0.07),)))


def test_a_terminal_shows_a_bar():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)

    with watching(console, [ModelRow("timm:a", "a", FACTS, None)], 2) as watch:
        watch("timm:a", 1)
        watch("timm:a", 2)

    assert "done" in console.file.getvalue()
