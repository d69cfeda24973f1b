"""The engine ``ray`` on two nodes of this machine, of which one is lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import cloudpickle
import pytest

from assay.core.result import Event, Finished, Result, Status
from assay.engines.ray import Ray
from assay.plugins.engine import Stage, Watch
from assay.plugins.scheduler import observed
from assay.testing.engines import InTurn
from assay.testing.schedulers import SimulatedEvaluation, simulated_evaluations

ray = pytest.importorskip("ray")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.framework,
    pytest.mark.enable_socket,  # Ray listens on this machine
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # processes cannot import tests by name


class Slowly:
    """An evaluator that takes a second for each job."""

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        for job, method in evaluation.jobs:
            watch(Stage(job.model, job.task, method))
            time.sleep(1)
            yield Finished(Result(job, Status.OK, value=1.0))

    def close(self) -> None:
        """Do nothing: no model is open."""


def test_a_lost_node_costs_no_row() -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    lost = cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        cluster.wait_for_nodes()
        evaluations = simulated_evaluations(*(f"model {number}" for number in range(4)))
        scheduler, results = InTurn(evaluations), list[Result]()
        for event in Ray().run(Slowly(), scheduler, lambda stage: None):
            scheduler.tell(observed(event))
            assert isinstance(event, Finished)
            results.append(event.result)
            if len(results) == 3:
                cluster.remove_node(lost, allow_graceful=False)
    finally:
        ray.shutdown()
        cluster.shutdown()

    assert len(ray_nodes := {result.job.key for result in results}) == len(results) == 12, ray_nodes
    assert {result.status for result in results} == {Status.OK}
