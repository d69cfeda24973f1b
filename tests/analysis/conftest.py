import numpy as np
import pytest

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.findings.comparison import Comparison
from assay.testing.simulated_study import simulate_study

# Demsar (2006), "Statistical comparisons of classifiers over multiple data sets", table 6: AUC of C4.5,
# C4.5+m, C4.5+cf and C4.5+m+cf; in "voting" the last two differ by a digit that the table does not show
_DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],  # adult (sample)
        [0.599, 0.591, 0.590, 0.569],  # breast cancer
        [0.954, 0.971, 0.968, 0.967],  # breast cancer wisconsin
        [0.628, 0.661, 0.654, 0.657],  # cmc
        [0.882, 0.888, 0.886, 0.898],  # ionosphere
        [0.936, 0.931, 0.916, 0.931],  # iris
        [0.661, 0.668, 0.609, 0.685],  # liver disorders
        [0.583, 0.583, 0.563, 0.625],  # lung cancer
        [0.775, 0.838, 0.866, 0.875],  # lymphography
        [1.000, 1.000, 1.000, 1.000],  # mushroom
        [0.940, 0.962, 0.965, 0.962],  # primary tumor
        [0.619, 0.666, 0.614, 0.669],  # rheum
        [0.972, 0.981, 0.9751, 0.975],  # voting
        [0.957, 0.978, 0.946, 0.970],  # wine
    ]
).T


@pytest.fixture(scope="session")
def study() -> Evidence:
    return simulate_study()


@pytest.fixture(scope="session")
def comparison(study: Evidence) -> Comparison:
    return compare(study, ranked_by=None, seed=0)


@pytest.fixture
def demsar() -> np.ndarray:
    """Four classifiers on fourteen data sets, from a paper whose results on them are known."""
    return _DEMSAR
