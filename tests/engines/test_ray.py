"""The engine ``ray``, on a Ray of this machine that is started once."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import pytest
from tests.engines.test_isolated import Perform, hang

import assay
from assay.core.errors import UsageError
from assay.core.result import Cause, Status
from assay.engines.ray import Ray
from assay.engines.ray.node_task import differences
from assay.engines.ray.resources import Needs
from assay.plugins.engine import Engine
from assay.run.versions import versions
from assay.testing.engines import EVALUATIONS, InTurn, IsolatingEngineContract, run_as_a_study

ray = pytest.importorskip("ray")
from assay.engines.ray.cluster import _join, joined

pytestmark = [
    pytest.mark.framework,
    pytest.mark.enable_socket,  # Ray listens on this machine
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
cloudpickle.register_pickle_by_value(sys.modules[Perform.__module__])  # processes cannot import tests by name
cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module", autouse=True)
def _one_ray() -> Iterator[None]:
    with joined("local"):
        yield


class TestRay(IsolatingEngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return Ray(workers=2)


def test_a_ray_of_our_own_listens_on_loopback_only() -> None:
    assert {node["NodeManagerAddress"] for node in ray.nodes()} == {"127.0.0.1"}


def test_an_address_where_nothing_answers_is_no_ray() -> None:
    assert not _join("127.0.0.1:1")
    assert not _join("nonsense")


def say_why_and_end() -> None:
    os.write(2, b"the library says why\n")
    os._exit(7)


@pytest.mark.parametrize(
    ("action", "limit", "reason", "cause"),
    [
        (hang, 2.0, "it took longer than 2 seconds and was stopped", Cause.TIME_LIMIT),
        (
            say_why_and_end,
            None,
            "its process ended with code 7 (it printed: the library says why)",
            Cause.MODEL,
        ),
    ],
)
def test_what_ends_a_process_is_one_row_and_the_jobs_after_it_go_on(
    action: Callable[[], object], limit: float | None, reason: str, cause: Cause
) -> None:
    events = run_as_a_study(
        Ray(workers=1, time_limit=limit), InTurn(EVALUATIONS[:2]), lambda stage: None, Perform(action)
    )
    first, second, *others = [event.result for event in events]

    assert (first.status, second.status) == (Status.OK, Status.FAILED)
    assert second.reason.startswith(reason)
    assert second.cause is cause
    assert [result.status for result in others] == [Status.OK] * 4


def test_a_driver_outside_the_cluster_gets_the_same_rows_and_refusals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assay.engines.ray.cluster.is_outside", lambda: True)

    events = run_as_a_study(
        Ray(workers=1), InTurn(EVALUATIONS[:2]), lambda stage: None, Perform(say_why_and_end)
    )
    first, second, *others = [event.result for event in events]

    assert first.status is Status.OK
    assert f"on node {socket.gethostname()}: its process ended with code 7 (it printed:" in second.reason
    assert [result.status for result in others] == [Status.OK] * 4
    with pytest.raises(UsageError, match="needs 1 CPU and 64 GPU"):
        run_as_a_study(Ray(gpus_per_job=64), InTurn(EVALUATIONS), lambda stage: None)


@dataclass(frozen=True, slots=True)
class KillTheRayWorker:
    """Kills the process that started the fork server of this one, unless a file says that it was done."""

    done: Path

    def __call__(self) -> None:
        if not self.done.exists():
            self.done.touch()
            server = Path(f"/proc/{os.getppid()}/stat").read_text("ascii")
            os.kill(int(server.rpartition(")")[2].split()[1]), signal.SIGKILL)
            time.sleep(60)


def test_a_ray_worker_that_is_killed_costs_no_row(tmp_path: Path) -> None:
    evaluate = Perform(KillTheRayWorker(tmp_path / "done"))

    events = run_as_a_study(Ray(workers=1), InTurn(EVALUATIONS[:2]), lambda stage: None, evaluate)

    assert (tmp_path / "done").exists()
    assert [event.result.status for event in events] == [Status.OK] * 6


def test_a_study_gives_the_numbers_of_one_process(tmp_path: Path) -> None:
    plugin = tmp_path / "spread.py"
    plugin.write_text("def spread(features, labels):\n    return float(features.std())\n")

    def values(engine: str) -> list[tuple[str, float | None]]:
        comparison = assay.Study(
            models=["timm:test_resnet(pretrained=False)"],
            tasks=["sklearn:digits(limit=60)"],
            methods=["knn", "logme"],
            plugins=[plugin],
            seeds=1,
            engine=engine,
            store=tmp_path / engine,
        ).run()
        return [(cell.method, cell.value) for cell in comparison.cells]

    on_ray = values("ray")

    assert on_ray == values("local")
    assert len(on_ray) == 3


def test_what_fits_nowhere_is_refused_before_any_work() -> None:
    with pytest.raises(UsageError, match=r"needs 1 CPU and 64 GPU \(127.0.0.1: \d+ CPU, 0 GPU"):
        run_as_a_study(Ray(gpus_per_job=64), InTurn(EVALUATIONS), lambda stage: None)


def test_nodes_have_room_for_whole_evaluations_and_only_while_they_live() -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 7.0, "GPU": 2.0, "memory": 9e9}},
        {"Alive": True, "Resources": {"CPU": 3.0}},
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}},
    ]

    assert Needs(2, None, None, None).on("cpu").room(nodes) == 4
    assert Needs(1, 0.5, None, None).on("cuda").room(nodes) == 4
    assert Needs(1, None, None, None).on("cuda:0").room(nodes) == 2
    assert Needs(0.1, 0, int(4e9), None).room(nodes) == 2


def test_an_evaluation_requests_its_expected_memory_up_to_that_of_a_node() -> None:
    small, large = {"CPU": 4.0, "memory": 8e9}, {"CPU": 0.5, "memory": 64e9}  # has too few processors
    nodes = [{"Alive": True, "Resources": resources} for resources in (small, large)]

    def memory(needs: Needs, expected: int) -> float | None:
        return needs.options(expected, nodes).get("memory")

    assert memory(Needs(1, None, None, None), int(2e9)) == 2e9
    assert memory(Needs(1, None, None, None), int(20e9)) == 8e9
    assert memory(Needs(1, None, None, None), 0) is None
    assert memory(Needs(1, None, int(3e9), None), int(2e9)) == 3e9
    assert memory(Needs(1, None, 0, None), int(2e9)) is None


def test_only_another_version_is_a_difference_not_a_missing_package_or_build() -> None:
    here = versions()
    of_another_build = here["numpy"].partition("+")[0] + "+cpu"

    assert differences({**here, "surely-missing": "1.0"}) == ()
    assert differences({**here, "numpy": "0.1"}) == (f"numpy {here['numpy']} instead of 0.1",)
    assert differences({**here, "numpy": of_another_build}) == ()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="a part of one, as in 0.5, or a whole number"):
        Ray(gpus_per_job=1.5)
    with pytest.raises(UsageError, match="more than 0 seconds"):
        Ray(time_limit=0)
    with pytest.raises(UsageError, match="1 or more"):
        Ray(workers=0)
    with pytest.raises(UsageError, match="a size, as in 20GB"):
        Ray(memory_per_job="much")
