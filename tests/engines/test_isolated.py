from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import pytest

import assay
from assay.core.errors import StoreError, UsageError
from assay.core.model import ModelFacts
from assay.core.result import Event, Finished, Opened, Result, Status
from assay.engines.isolated import Isolated
from assay.plugins.engine import Watch
from assay.testing.engines import EVALUATIONS, run_as_a_study, simulated_matrix
from assay.testing.schedulers import METHODS, SimulatedEvaluation

FACTS = ModelFacts(
    width=1, parameters=1, macs=None, bytes=4, input="", preprocessing="", source_classes=0, weights="",
    fingerprint="",
)  # fmt: skip
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes cannot import tests by name


def perform_with(action: Callable[[], object], evaluation: SimulatedEvaluation) -> Iterator[Event]:
    """Finish the jobs of an evaluation; before the second of the first model something happens."""
    yield Opened(evaluation.model, "", FACTS, None)
    for job, method in evaluation.jobs:
        if (evaluation.model, method) == (EVALUATIONS[0].model, METHODS[1]):
            action()
        yield Finished(Result(job, Status.OK, value=1.0))


@dataclass(frozen=True, slots=True)
class Perform:
    """An evaluator that does something in the middle, or at once."""

    action: Callable[[], object]
    at_once: bool = False

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        if self.at_once:
            self.action()
        yield from perform_with(self.action, evaluation)

    def close(self) -> None:
        """Do nothing: no model is open."""


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(7)


def hang() -> None:
    time.sleep(600)


def fill_the_disk() -> None:
    raise StoreError("The disk is full.")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def outcomes(engine: Isolated, evaluate: Perform) -> list[Result]:
    scheduler = simulated_matrix("model 0", "model 1")
    return [event.result for event in run_as_a_study(engine, scheduler, lambda stage: None, evaluate)]


@pytest.mark.parametrize(
    ("action", "engine", "reason"),
    [
        (crash, Isolated(), "its process was ended by SIGSEGV"),
        (leave, Isolated(), "its process ended with code 7"),
        (hang, Isolated(time_limit=3), "it took longer than 3 seconds and was stopped"),
    ],
)
def test_what_ends_a_process_is_one_row_and_the_jobs_after_it_go_on(
    action: Callable[[], object], engine: Isolated, reason: str
) -> None:
    first, second, *others = outcomes(engine, Perform(action))

    assert (first.status, second.status) == (Status.OK, Status.FAILED)
    assert second.reason.startswith(reason)
    assert [result.status for result in others] == [Status.OK] * 4


def test_a_model_that_cannot_be_opened_is_tried_once() -> None:
    results = outcomes(Isolated(), Perform(die, at_once=True))

    assert [result.status for result in results] == [Status.FAILED] * 6
    assert results[0].reason == "its process was ended by SIGKILL, mostly because memory did not suffice"


def test_what_ends_a_run_ends_it() -> None:
    with pytest.raises(StoreError, match="disk is full"):
        outcomes(Isolated(), Perform(fill_the_disk, at_once=True))


def test_no_time_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 0 seconds"):
        Isolated(time_limit=0)


def test_a_study_gives_the_same_numbers_in_one_process_and_in_many(tmp_path: Path) -> None:
    plugin = tmp_path / "spread.py"
    plugin.write_text("def spread(features, labels):\n    return float(features.std())\n")

    def values(engine: str) -> list[tuple[str, float | None]]:
        comparison = assay.Study(
            models=["timm:test_resnet(pretrained=False)"],
            tasks=["sklearn:digits(limit=60)"],
            methods=["knn", "logme", "sgd(epochs=1)"],
            plugins=[plugin],
            seeds=1,
            engine=engine,
            store=tmp_path / engine[:5],
        ).run()
        return [(cell.method, cell.value) for cell in comparison.cells]

    isolated = values("isolated(time_limit=300)")

    assert isolated == values("local")
    assert len(isolated) == 4
