"""The floating-point type in which a model encodes: by setting, device, checkpoint, and agreement."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import final

import numpy as np

from assay.core.errors import UnknownName
from assay.core.keys import FLOAT32
from assay.environment.devices import half_precision

logger = logging.getLogger(__name__)

AUTO = "auto"
HALVES = ("bfloat16", "float16")
DTYPES = (AUTO, FLOAT32, *HALVES)
AGREEMENT = 0.999  # the least cosine of an example's features in half precision with those in float32


def check_dtype(dtype: str) -> None:
    """Raise ``UnknownName`` for another value of the setting ``dtype`` than those in ``DTYPES``."""
    if dtype not in DTYPES:
        raise UnknownName("dtype", dtype, DTYPES)


def dtype_of_weights(wanted: str, native: str, half: str | None) -> str:
    """Return the type in which weights are loaded, for sources that can load them in several.

    Args:
        wanted: The setting ``dtype``.
        native: The type of the checkpoint; half precision is kept on devices that are fast in it.
        half: What ``half_precision`` says of the device.
    """
    if wanted != AUTO:
        return wanted
    return native if half is not None and native in HALVES else FLOAT32


def least_cosine(half: np.ndarray, single: np.ndarray) -> float:
    """Return the least cosine of two features of one example; -1 where one is not finite.

    Args:
        half: Features in half precision, examples x width.
        single: Features of the same examples in float32.
    """
    if half.shape != single.shape or not np.isfinite(half).all():
        return -1.0
    a, b = (matrix.astype(np.float64) for matrix in (half, single))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    equal = (a == b).all(axis=1)  # of zeros there is no cosine
    cosines = np.where(equal, 1.0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1.0))
    return float(cosines.min(initial=1.0))


@final
class Precision:
    """The type in which an opened model computes; models that read layers of one module share it.

    Weights in float32 stay as they are, for training and for scores of weights; torch's autocast computes
    with them in half precision.

    Args:
        wanted: The setting ``dtype``.
        device: The torch device.
        weights: The type in which the weights were loaded.
        half: Returns the type of half precision that is fast on a device, if any.

    Attributes:
        dtype: The type of encoding now.
        note: Why it is not the fast one; else empty.
    """

    def __init__(
        self,
        wanted: str = AUTO,
        device: str = "cpu",
        weights: str = FLOAT32,
        half: Callable[[str], str | None] = half_precision,
    ) -> None:
        self._device = device.partition(":")[0]
        self._tried = half(device) if wanted == AUTO and weights == FLOAT32 else None
        self.dtype = weights if wanted == AUTO else wanted
        self.note = ""

    def context(self) -> AbstractContextManager[object]:
        """Return a context in which torch computes in this precision."""
        if self.dtype == FLOAT32:
            return nullcontext()
        import torch

        return torch.autocast(self._device, getattr(torch, self.dtype))

    @property
    def is_open(self) -> bool:
        """Whether the precision is left to the device, and that is fast in half precision."""
        return self._tried is not None

    def settle(self, features: Callable[[], np.ndarray]) -> None:
        """Choose half precision if features agree with float32, and else float32; only if it is open.

        Args:
            features: Encodes the first examples of a task in the present precision.
        """
        self.dtype, self.note = FLOAT32, ""
        single = features()
        assert self._tried is not None
        self.dtype = self._tried
        try:
            cosine = least_cosine(features(), single)
        except Exception:  # an operation of the model may not exist in half precision
            logger.info("cannot encode in %s", self._tried, exc_info=True)
            cosine = -1.0
        if cosine < AGREEMENT:
            self.dtype = FLOAT32
            self.note = f"encoded in float32: in {self._tried} features of its first examples differ too much"
