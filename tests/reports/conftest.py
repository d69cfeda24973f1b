import pytest

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.findings.comparison import Comparison
from assay.testing.simulated_study import simulate_study


@pytest.fixture(scope="session")
def study() -> Evidence:
    return simulate_study()


@pytest.fixture(scope="session")
def comparison(study: Evidence) -> Comparison:
    return compare(study, ranked_by=None, seed=0)
