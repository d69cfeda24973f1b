import pytest

from assay.analysis.compare import compare
from assay.core.comparison import Comparison
from assay.testing.simulated_study import SimulatedStudy, simulate_study


@pytest.fixture(scope="session")
def study() -> SimulatedStudy:
    return simulate_study()


@pytest.fixture(scope="session")
def comparison(study: SimulatedStudy) -> Comparison:
    return compare(
        study.results,
        study.tasks,
        study.models,
        study.predictions,
        study.truths,
        study.metrics,
        study.scores,
        None,
        study.settings,
        0,
    )
