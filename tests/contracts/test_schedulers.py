"""The laws of schedulers, for each scheduler of this repository."""

from __future__ import annotations

import pytest

from assay.run.full_matrix import FullMatrix
from assay.testing.schedulers import Schedule, SchedulerContract


class TestFullMatrix(SchedulerContract):
    @pytest.fixture
    def schedule(self) -> Schedule:
        return FullMatrix
