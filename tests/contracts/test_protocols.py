"""The laws of protocols that train on features, for each one in the folder."""

from __future__ import annotations

from collections.abc import Mapping

from assay.plugins.method import Method
from assay.plugins.protocol import FeatureProtocol
from assay.plugins.registry import Registry
from assay.testing.protocols import ProtocolContract

PROTOCOLS = Registry("protocols", Method, "protocol")


class TestEveryProtocol(ProtocolContract):
    @classmethod
    def plugins(cls) -> Mapping[str, FeatureProtocol]:
        every = {name: PROTOCOLS.load(name)() for name in PROTOCOLS.names()}
        return {name: protocol for name, protocol in every.items() if isinstance(protocol, FeatureProtocol)}
