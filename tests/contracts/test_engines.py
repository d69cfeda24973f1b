"""The laws of engines, for each engine in the folder."""

from __future__ import annotations

import pytest

from assay.plugins.engine import Engine
from assay.plugins.families import BUILT_IN
from assay.testing.engines import EngineContract


class TestEveryEngine(EngineContract):
    @pytest.fixture(params=BUILT_IN.engines.names())
    def engine(self, request: pytest.FixtureRequest) -> Engine:
        return BUILT_IN.engines.load(request.param)()
