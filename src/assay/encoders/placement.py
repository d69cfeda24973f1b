"""Where a transformer's weights are and in how many bits: over several devices, or quantised."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, final

from assay.core.errors import MissingPackage, UnknownName

MAPS = ("auto", "balanced", "balanced_low_0", "sequential")  # of accelerate
BITS = {"8bit": 1.0, "4bit": 0.5}  # bytes of a weight, as bitsandbytes quantises it


@final
@dataclass(frozen=True, slots=True)
class Placement:
    """How transformers lays weights on devices.

    Attributes:
        device_map: How they are spread over all devices, as ``transformers`` names it; None for one device.
        quantization: "8bit" or "4bit"; None for the type of floating-point numbers.
    """

    device_map: str | None = None
    quantization: str | None = None

    def check(self, source: str) -> None:
        """Raise ``UsageError`` for an unknown value, or a missing package."""
        if self.device_map is not None and self.device_map not in MAPS:
            raise UnknownName("device_map", self.device_map, MAPS)
        if self.quantization is not None and self.quantization not in BITS:
            raise UnknownName("quantization", self.quantization, BITS)
        wanted = {"accelerate": self.is_placed, "bitsandbytes": self.quantization is not None}
        for package, is_wanted in wanted.items():
            if is_wanted and find_spec(package) is None:
                raise MissingPackage(source, package, is_extra=False)

    @property
    def is_placed(self) -> bool:
        """Whether the library has laid the weights on their devices, where they stay."""
        return self.device_map is not None or self.quantization is not None

    def arguments(self, device: str) -> dict[str, Any]:
        """Return arguments of ``from_pretrained``.

        Args:
            device: The torch device of a model that is not spread.
        """
        if not self.is_placed:
            return {}
        wanted: dict[str, Any] = {"device_map": self.device_map or {"": device}}
        if self.quantization is not None:
            from transformers import BitsAndBytesConfig

            logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns in each layer and batch
            wanted["quantization_config"] = BitsAndBytesConfig(
                load_in_8bit=self.quantization == "8bit",
                load_in_4bit=self.quantization == "4bit",
                bnb_4bit_quant_type="nf4",
            )
        return wanted


def quantised_as(module: Any) -> str | None:
    """Return the type of quantised weights, as in "8bit"; None where no part of a module is quantised."""
    for part in module.modules():
        settings = getattr(getattr(part, "config", None), "quantization_config", None)
        if settings is not None:
            return next((name for name in BITS if getattr(settings, f"load_in_{name}", False)), "quantised")
    return None


def is_spread(module: Any) -> bool:
    """Return whether the weights of a module lie on several devices, or wait on a disk: it stays there."""
    return len({parameter.device for parameter in module.parameters()}) > 1
