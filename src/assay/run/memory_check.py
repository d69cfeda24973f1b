"""Estimates whether the weights of a model fit into memory, before they are loaded."""

from __future__ import annotations

from assay.core.errors import Unavailable
from assay.core.model import ModelSource
from assay.encoders.placement import BITS
from assay.environment.memory import bytes_on, bytes_on_gpus, machine_bytes

_BYTES = {"float16": 2.0, "bfloat16": 2.0, **BITS}


def must_have_room(source: ModelSource, address: str, device: str, most_bytes: float | None) -> None:
    """Raise ``Unavailable`` if the weights alone exceed the memory; nothing where their number is unknown.

    Args:
        source: The source, by whose settings ``quantization`` or ``dtype`` each weight is counted, and else
            with four bytes; with ``device_map`` the memory is that of all devices and the machine.
        address: Its address.
        device: The torch device.
        most_bytes: What a user allows this process to hold; None for all.
    """
    count = source.entry(address).parameters
    dtype = str(getattr(source, "quantization", None) or getattr(source, "dtype", "auto"))
    needed = (count or 0) * _BYTES.get(dtype, 4)
    here: float = machine_bytes()
    if most_bytes is not None:
        here = min(most_bytes, here or most_bytes)
    if getattr(source, "device_map", None):
        available = here + bytes_on_gpus()
    else:
        available = bytes_on(device) if device.startswith("cuda") else here
    if not available or needed <= available:
        return
    half = " Write dtype='bfloat16' for half of it, or" if dtype == "auto" else " Write"
    raise Unavailable(
        f"its {count:,} weights take {needed / 1e9:.1f} GB, and there are {available / 1e9:.1f} GB.{half} a "
        "device, or a memory (--memory), that has more."
    )
