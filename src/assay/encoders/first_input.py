"""Detects input scaling inside a torch module, to infer its pixel range."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from assay.encoders.input_range import InputRange, Range, Scaling, range_of, scaling

logger = logging.getLogger(__name__)

_MULTIPLIED = {"convolution": 0, "mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1}  # where the input is given


class _ReachedError(Exception):
    """The input has reached the first weights."""


class _FirstInput(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not type it
    """Keeps what is multiplied first, and ends the call of the module there."""

    entering: tuple[np.ndarray, ...] = ()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        position = _MULTIPLIED.get(func.overloadpacket.__name__)
        if position is None:
            return func(*args, **(kwargs or {}))
        self.entering = (args[position].detach().float().cpu().numpy(),)
        raise _ReachedError


def assumed_scaling(module: nn.Module, shape: Sequence[int]) -> Scaling:
    """Return that pixels in 0..1 are assumed, with a warning if the module itself makes such of 0..255.

    Args:
        module: The module, in evaluation mode.
        shape: Of one input: channels, height, width.
    """
    found = _found(module, shape)
    if found is None or found.range is Range.UNIT:
        return scaling(None, None)
    does = found.why.removeprefix("the file ")
    note = (
        f"pixels 0..1 are assumed, but the module seems to expect 0..255: it {does}. If so, write scale=False"
    )
    return Scaling(scale=True, note=note, warnings=(note,), is_assumed=True)


def _found(module: nn.Module, shape: Sequence[int]) -> InputRange | None:
    def first(level: float) -> Sequence[np.ndarray]:
        mode = _FirstInput()  # type: ignore[no-untyped-call]  # as above
        try:
            with torch.no_grad(), mode:
                module(torch.full((1, *shape), level))
        except Exception:  # TorchScript raises what it likes around it
            logger.debug("the module was left at its first weights", exc_info=True)
        return mode.entering

    try:
        return range_of(first)
    except ValueError:
        return None
