"""Whether the weights of a model have room, by what is known before they are loaded."""

from __future__ import annotations

from assay.core.errors import Unavailable
from assay.core.model import ModelSource

_BYTES = {"float16": 2, "bfloat16": 2}


def must_have_room(source: ModelSource, address: str, available: float) -> None:
    """Raise ``Unavailable`` if the weights alone exceed the memory; nothing where their number is unknown.

    Args:
        source: The source, by whose setting ``dtype`` each weight is counted, and else with four bytes.
        address: Its address.
        available: The bytes that there are; 0 where that is unknown.
    """
    count = source.entry(address).parameters
    dtype = getattr(source, "dtype", "auto")
    needed = (count or 0) * _BYTES.get(dtype, 4)
    if not available or needed <= available:
        return
    half = " Write dtype='bfloat16' for half of it, or" if dtype == "auto" else " Write"
    raise Unavailable(
        f"its {count:,} weights take {needed / 1e9:.1f} GB, and there are {available / 1e9:.1f} GB.{half} a "
        "device, or a memory (--memory), that has more."
    )
