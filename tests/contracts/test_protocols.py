"""The laws of protocols that train on features, for each one in the folder."""

from __future__ import annotations

import pytest

from assay.plugins.method import Method
from assay.plugins.protocol import FeatureProtocol
from assay.plugins.registry import Registry
from assay.testing.protocols import ProtocolContract

PROTOCOLS = Registry("protocols", Method, "protocol")


class TestEveryProtocol(ProtocolContract):
    @pytest.fixture(params=PROTOCOLS.names())
    def protocol(self, request: pytest.FixtureRequest) -> FeatureProtocol:
        protocol = PROTOCOLS.load(request.param)()
        if not isinstance(protocol, FeatureProtocol):
            pytest.skip("trains the model itself")
        return protocol
