from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import cloudpickle
import numpy as np
import pytest

import assay
from assay.core.errors import StoreError, UsageError
from assay.core.estimate import Interval
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.result import Cause, Cost, Event, Finished, Opened, Result, Status
from assay.engines.isolated import Isolated
from assay.plugins.engine import Evaluate, Stage, Watch
from assay.plugins.registry import module_of
from assay.plugins.scheduler import observed
from assay.testing.engines import EVALUATIONS, InTurn, run_as_a_study, simulated_matrix
from assay.testing.schedulers import METHODS, SimulatedEvaluation, simulated_evaluations

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


def do_nothing() -> None:
    """Let all jobs be finished."""


def unseen(stage: Stage) -> None:
    """Ignore the stage."""


def outcomes(engine: Isolated, evaluate: Evaluate[SimulatedEvaluation], models: int = 2) -> list[Result]:
    scheduler = simulated_matrix(*(f"model {number}" for number in range(models)))
    return [event.result for event in run_as_a_study(engine, scheduler, unseen, evaluate)]


def close_files() -> None:
    os.closerange(0, 256)


def start_a_child() -> None:
    os.fork()  # both go on, and only one may answer


def write_everywhere() -> None:
    for number in range(3):
        with suppress(OSError):
            os.write(number, b"\x00noise\n" * 1000)


def raise_system_exit() -> None:
    raise SystemExit(3)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("it has no text")


def raise_unprintable() -> None:
    raise Unprintable


@pytest.mark.parametrize(
    ("action", "engine", "reason", "cause"),
    [
        (crash, Isolated(), "its process was ended by SIGSEGV", Cause.MODEL),
        (leave, Isolated(), "its process ended with code 7", Cause.MODEL),
        (hang, Isolated(time_limit=3), "it took longer than 3 seconds and was stopped", Cause.TIME_LIMIT),
        (close_files, Isolated(), "its process closed its connection to this process", Cause.MODEL),
    ],
)
def test_what_ends_a_process_is_one_row_and_the_jobs_after_it_go_on(
    action: Callable[[], object], engine: Isolated, reason: str, cause: Cause
) -> None:
    first, second, *others = outcomes(engine, Perform(action))

    assert (first.status, second.status) == (Status.OK, Status.FAILED)
    assert second.reason.startswith(reason)
    assert (second.cause, second.seconds) == (cause, 3 if cause is Cause.TIME_LIMIT else 0)
    assert [result.status for result in others] == [Status.OK] * 4


def fill_memory() -> None:
    held = np.ones(900_000_000, np.uint8)
    time.sleep(600)
    del held


def test_a_job_whose_process_holds_more_memory_than_it_may_is_one_row() -> None:
    scheduler = InTurn([replace(evaluation, memory_bytes=9e8) for evaluation in EVALUATIONS[:2]])

    events = run_as_a_study(Isolated(), scheduler, unseen, Perform(fill_memory))
    first, second, *others = [event.result for event in events]

    assert (first.status, second.status) == (Status.OK, Status.FAILED)
    assert "held more memory than it may" in second.reason
    assert "(--memory)" in second.reason
    assert second.cause is Cause.ENVIRONMENT
    assert [result.status for result in others] == [Status.OK] * 4


def test_a_model_that_cannot_be_opened_is_tried_once() -> None:
    results = outcomes(Isolated(), Perform(die, at_once=True))

    assert [result.status for result in results] == [Status.FAILED] * 6
    assert results[0].reason == "its process was ended by SIGKILL, mostly because memory did not suffice"
    assert results[0].cause is Cause.ENVIRONMENT


def test_a_store_error_ends_the_run() -> None:
    with pytest.raises(StoreError, match="disk is full"):
        outcomes(Isolated(), Perform(fill_the_disk, at_once=True))


@pytest.mark.parametrize("action", [start_a_child, write_everywhere])
def test_what_a_model_starts_and_prints_is_no_result(action: Callable[[], object]) -> None:
    results = outcomes(Isolated(workers=2), Perform(action))

    assert sorted(result.job.key for result in results) == sorted(
        job.key for evaluation in EVALUATIONS[:2] for job, _ in evaluation.jobs
    )
    assert {result.status for result in results} == {Status.OK}


@pytest.mark.parametrize(
    ("action", "reason"),
    [(raise_system_exit, "SystemExit: 3"), (raise_unprintable, "Unprintable: no message")],
)
def test_what_an_evaluator_does_not_expect_fails_the_rest_of_an_evaluation(
    action: Callable[[], object], reason: str
) -> None:
    first, *lost = outcomes(Isolated(), Perform(action))[:3]

    assert first.status is Status.OK
    assert [result.reason for result in lost] == [reason] * 2


@dataclass(frozen=True, slots=True)
class Carry:
    """An evaluation that holds something else as well."""

    evaluation: SimulatedEvaluation
    cargo: object

    @property
    def model(self) -> str:
        return self.evaluation.model

    @property
    def jobs(self) -> tuple[tuple[Job, str], ...]:
        return self.evaluation.jobs

    @property
    def model_key(self) -> str:
        return self.evaluation.model

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def memory_bytes(self) -> float | None:
        return None

    def without(self, keys: Collection[str]) -> Carry:
        return replace(self, evaluation=self.evaluation.without(keys))


class RaisesThere:
    """It cannot be unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("raise LookupError('not here')",)


class KillsThere:
    """It ends the process in which it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("import os; os.kill(os.getpid(), 9)",)


@pytest.mark.parametrize(
    ("cargo", "reason"),
    [
        (Lock(), "it cannot be sent to a process of its own (TypeError: cannot pickle '_thread.lock'"),
        (RaisesThere(), "it cannot be sent to a process of its own (LookupError: not here)"),
        (KillsThere(), "its process was ended by SIGKILL"),
    ],
    ids=["unpicklable", "raises", "kills"],
)
def test_an_evaluation_that_cannot_be_sent_fails_alone(cargo: object, reason: str) -> None:
    evaluations = [Carry(EVALUATIONS[0], cargo), Carry(EVALUATIONS[1], None)]
    results = [
        event.result
        for event in run_as_a_study(Isolated(), InTurn(evaluations), unseen, Perform(do_nothing))  # type: ignore[arg-type, list-item]  # they have what an evaluation has
    ]

    assert [result.status for result in results] == [Status.FAILED] * 3 + [Status.OK] * 3
    assert {result.job.model for result in results[:3]} == {EVALUATIONS[0].model}
    assert all(result.reason.startswith(reason) for result in results[:3])


class Predict:
    """An evaluator whose results have predictions."""

    def __init__(self, values: np.ndarray, probs: np.ndarray | None) -> None:
        self._predicted = Predicted(values, probs)

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        for job, _ in evaluation.jobs:
            metrics = {"accuracy": np.float32(0.5), "f1": np.float64(0.25)}
            yield Finished(
                Result(
                    job, Status.OK, np.float64(0.5), metrics, {"l2": np.int64(3)}, ("note",),
                    interval=Interval(0.4, 0.6), seconds=0.1, cost=Cost(peak_bytes=5),
                ),
                self._predicted,
            )  # fmt: skip

    def close(self) -> None:
        """Do nothing: no model is open."""


def test_events_arrive_as_they_were_sent() -> None:
    probs = np.random.default_rng(0).random((30, 4), np.float32)
    evaluator = Predict(np.arange(30), probs)

    results = run_as_a_study(Isolated(), simulated_matrix("model 0"), unseen, evaluator)
    expected = list(evaluator(EVALUATIONS[0], unseen))

    assert [event.result for event in results] == [event.result for event in expected]
    for event in results:
        assert event.predictions is not None
        assert np.array_equal(event.predictions.probs, probs)
        assert event.predictions.values.dtype == np.int64


def test_predictions_that_are_no_numbers_are_failed_rows() -> None:
    evaluator = Predict(np.array([{}, {}]), None)

    results = outcomes(Isolated(), evaluator)

    assert [result.status for result in results] == [Status.FAILED] * 6
    assert "cannot be sent to the main process" in results[0].reason


@dataclass
class Remember:
    """An evaluator that counts its evaluations, and loses memory in the second."""

    lost_bytes: int = 0
    count: int = 0

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        self.count += 1
        if self.count == 2:
            self.lost = np.ones(self.lost_bytes, np.uint8)
        for job, _ in evaluation.jobs:
            yield Finished(Result(job, Status.OK, value=float(self.count)))

    def close(self) -> None:
        """Do nothing: no model is open."""


def test_a_worker_runs_all_evaluations_with_one_evaluator() -> None:
    values = [result.value for result in outcomes(Isolated(), Remember(), models=3)]

    assert values == [1.0] * 3 + [2.0] * 3 + [3.0] * 3


def test_a_worker_that_loses_memory_is_replaced() -> None:
    values = [result.value for result in outcomes(Isolated(leak_bytes=9e8), Remember(900_000_000), models=3)]

    assert values == [1.0] * 3 + [2.0] * 3 + [1.0] * 3


@pytest.mark.parametrize("seed", range(3))
def test_workers_that_are_killed_and_stopped_lose_one_job_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    evaluations = simulated_evaluations(*(f"model {number}" for number in range(6)))
    engine, scheduler = Isolated(workers=2, time_limit=3), InTurn(evaluations)
    events = engine.run(Slowly(), scheduler, unseen)
    results: list[Result] = []
    ended = 0
    for event in events:
        scheduler.tell(observed(event))
        if isinstance(event, Opened):
            continue
        results.append(event.result)
        if ended < 2 and event.result.value is not None and rng.random() < 0.4:
            time.sleep(rng.uniform(0, 0.05))
            with suppress(ProcessLookupError):
                os.kill(int(event.result.value), rng.choice([signal.SIGKILL, signal.SIGSTOP]))
                ended += 1

    failed = [result for result in results if result.status is Status.FAILED]
    assert sorted(result.job.key for result in results) == sorted(
        job.key for evaluation in evaluations for job, _ in evaluation.jobs
    )
    assert ended
    assert len(failed) <= ended
    assert all("SIGKILL" in result.reason or "longer than 3 seconds" in result.reason for result in failed)


class Slowly:
    """An evaluator that takes its time and sends large events; the value is the process."""

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        yield Opened(evaluation.model, "", FACTS, None)
        for job, method in evaluation.jobs:
            watch(Stage(job.model, job.task, method))
            time.sleep(0.01)
            yield Finished(Result(job, Status.OK, value=float(os.getpid())), Predicted(np.zeros(500_000)))

    def close(self) -> None:
        """Do nothing: no model is open."""


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 0 seconds"):
        Isolated(time_limit=0)
    with pytest.raises(UsageError, match="1 or more"):
        Isolated(workers=0)
    with pytest.raises(UsageError, match="more than 0 bytes"):
        Isolated(leak_bytes=0)


def test_workers_share_the_threads_and_one_has_them_all() -> None:
    alone, *both = (
        Isolated().place(0, "cpu"),
        *(Isolated(workers=2).place(number, "cpu") for number in (0, 1)),
    )

    assert alone.threads is None
    assert {place.threads for place in both} == {max(1, len(os.sched_getaffinity(0)) // 2)}


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import assay\nfrom assay.testing.engines import run_as_a_study, simulated_matrix\n"
        "from assay.engines.isolated import Isolated\nprint('run')\nmatrix = simulated_matrix('a', 'b')\n"
        "finished = run_as_a_study(Isolated(workers=2), matrix, watch=lambda stage: None)\n"
        "print([one.result.status.value for one in finished])\n"
    )

    printed = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout

    assert printed.splitlines() == ["run", str(["ok"] * 6)]


@dataclass(frozen=True, slots=True)
class Call:
    """An evaluator whose values are those of a function."""

    function: Callable[[], float]

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        for job, _ in evaluation.jobs:
            yield Finished(Result(job, Status.OK, value=self.function()))

    def close(self) -> None:
        """Do nothing: no model is open."""


def test_a_plug_in_and_what_it_imports_are_sent_and_read_again_when_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)

    def value(own: int, beside: int) -> float | None:
        (tmp_path / "beside_constant.py").write_text(f"def help():\n    return {beside}\n")
        (tmp_path / "constant.py").write_text(
            f"import beside_constant\n\ndef constant():\n    return {own} + beside_constant.help()\n"
        )
        constant = module_of(tmp_path / "constant.py").constant
        (result, *_) = outcomes(Isolated(), Call(constant), models=1)
        return result.value

    assert [value(10, 1), value(20, 1), value(20, 2)] == [11.0, 21.0, 22.0]


def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, time\nfrom assay.testing.engines import run_as_a_study, simulated_matrix\n"
        "from assay.engines.isolated import Isolated\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs of shells ignore it
        "class Hang:\n    def __call__(self, evaluation, watch):\n"
        "        os.write(1, b'process %d\\n' % os.getpid())\n        time.sleep(600)\n"  # whole lines
        "    def close(self):\n        pass\n"
        "matrix = simulated_matrix('a', 'b')\n"
        "run_as_a_study(Isolated(workers=2), matrix, lambda stage: None, Hang())\n"
    )
    with subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stderr is not None
        try:
            processes = [int(parent.stderr.readline().split()[1]) for _ in range(2)]
            parent.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt" in parent.communicate(timeout=60)[1]
        finally:
            parent.kill()

    assert all(state_of(process) in "XZ" for process in processes)


def state_of(process: int) -> str:
    """Return the letter of proc(5); X for a process that does not exist."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


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
