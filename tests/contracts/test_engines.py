"""The laws of engines, for each engine in the folder."""

from __future__ import annotations

import pytest

from assay.engines.isolated import Isolated
from assay.plugins.engine import Engine
from assay.plugins.families import BUILT_IN
from assay.testing.engines import EngineContract, IsolatingEngineContract


class TestEveryEngine(EngineContract):
    @pytest.fixture(params=sorted({*BUILT_IN.engines.names()} - {"ray"}))  # tests/engines/test_ray.py
    def engine(self, request: pytest.FixtureRequest) -> Engine:
        return BUILT_IN.engines.load(request.param)()


class TestIsolated(IsolatingEngineContract):
    @pytest.fixture(params=[1, 3], ids=["one worker", "three workers"])
    def engine(self, request: pytest.FixtureRequest) -> Engine:
        return Isolated(workers=request.param)
