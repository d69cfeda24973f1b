"""Infers the pixel range that a saved model expects, 0..255 or 0..1, from its outputs for constant images.

A file says nowhere in words how its input is scaled; what it does to the input before its first weights says
it. A source finds that part of the graph and runs it on constant images; the rule is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

ASSUMED = (
    "pixels 0..1, mean 0 and std 1 are assumed: nothing in the model says so. Write its mean and std, or "
    "scale=False for pixels in 0..255"
)
_NARROW = 16.0  # what a network is trained on is narrower than that; 0..255 with another mean is not
_PIXEL_MEAN = 1.5  # a mean above this is one of 0..255: 0..1 has none there
_UNIT_MEAN = 0.2  # below this a mean does not tell 0..1 from input that is normalised already
_STRAIGHT = 0.01  # a part of the slope, for half precision
# benchmarks/limits.py: in the wrong range features vary by at most 0.03, and 12 times more in the right one;
# models in the right range vary by 0.04 or more, at most twice as much in the other, and their least sure
# probability of eight is at most 0.92
_SAME = 0.1  # features that vary by less between images hardly depend on them, if
_TIMES = 5  # they vary so many times more in the other range
_SURE = 0.999  # a probability above this is saturated
_SAMPLES = 8


class Range(StrEnum):
    """A range of pixels."""

    BYTES = "0..255"
    UNIT = "0..1"


class InputRange(NamedTuple):
    """What a model itself does to its input, as far as the range follows from it."""

    range: Range
    why: str  # as in "the file divides by 255 itself"


def range_of(first: Callable[[float], Sequence[np.ndarray]]) -> InputRange | None:
    """Return the range that a model expects, or None if it does nothing from which that follows.

    Args:
        first: For an image of one constant value: what enters the first weights of the model, on each path.
    """
    levels = (0.0, 0.5, 1.0, 255.0, 510.0)
    answers = [first(level) for level in levels]
    for path in zip(*answers, strict=True):
        zero, half, one, most, beyond = (float(np.median(values)) for values in path)
        found = _read(zero, half, one, most, beyond)
        if found is not None:
            return found
    return None


def _read(zero: float, half: float, one: float, most: float, beyond: float) -> InputRange | None:
    if not np.isfinite([zero, half, one, most, beyond]).all() or zero == most:
        return None
    gain = (most - zero) / 255
    middle = -zero / gain
    rules = (
        (half == zero, Range.BYTES, "makes whole numbers of its input"),
        (most == one, Range.UNIT, "cuts its input at 1"),
        (abs(most - zero) <= _NARROW, Range.BYTES, f"rescales it to {zero:.3g}..{most:.3g} itself"),
        (
            most == beyond and np.isclose(gain, one - zero, rtol=_STRAIGHT),
            Range.BYTES,
            "cuts its input at 255",
        ),
        (_PIXEL_MEAN < middle <= 255, Range.BYTES, f"subtracts {middle:.4g} from it itself"),
        (abs(gain) > _NARROW, Range.UNIT, f"multiplies it by {gain:.4g} itself"),
        (
            abs(gain) > 1 and _UNIT_MEAN < middle <= 1,
            Range.UNIT,
            f"rescales it to {zero:.3g}..{one:.3g} itself",
        ),
    )
    return next((InputRange(wanted, f"the file {why}") for holds, wanted, why in rules if holds), None)


class Scaling(NamedTuple):
    """How pixels enter a model, and how sure that is.

    Attributes:
        scale: Whether pixels become 0..1.
        note: Where that comes from, in words.
        warnings: What speaks against it.
        is_assumed: Whether neither the user nor the model says so.
    """

    scale: bool
    note: str
    warnings: tuple[str, ...] = ()
    is_assumed: bool = False


def scaling(setting: bool | None, found: InputRange | None) -> Scaling:
    """Return how pixels enter a model: as the user wrote, as the model expects, or as 0..1.

    Args:
        setting: What the user wrote: True for 0..1; None for nothing.
        found: What the model does to its input.
    """
    if setting is None and found is None:
        return Scaling(scale=True, note=ASSUMED, is_assumed=True)
    scale = found is None or found.range is Range.UNIT if setting is None else setting
    used = Range.UNIT if scale else Range.BYTES
    if found is None:
        return Scaling(scale, f"pixels {used}, as set")
    if found.range is used:
        return Scaling(scale, f"pixels {used}: {found.why}")
    note = f"pixels {used} as set, but the model seems to expect {found.range}: {found.why}"
    return Scaling(scale, note, (note,))


def sample_images() -> list[np.ndarray]:
    """Return a few images of different colours and contrast: height x width x 3, uint8."""
    rng = np.random.default_rng(0)
    ramps = np.linspace(0, 255, 64)[:, None, None] * rng.random((_SAMPLES, 1, 64, 3))
    return [np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8) for image in ramps]


def doubts(run: Callable[[bool], tuple[np.ndarray, np.ndarray | None]]) -> tuple[str, ...]:
    """Return a warning if the outputs at an assumed 0..1 look as if the model expected 0..255.

    Args:
        run: Returns features and class probabilities of ``sample_images``; True for pixels in 0..1.
    """
    features, probs = run(True)
    if probs is not None and probs.shape[1] > 1 and (probs.max(axis=1) > _SURE).all():
        what = "its class probabilities are saturated"
    elif _variation(features) < _SAME and _variation(run(False)[0]) > _TIMES * _variation(features):
        what = "its features hardly depend on the image"
    else:
        return ()
    return (
        f"pixels 0..1 are assumed, and {what}: the model may expect another range. Write scale=False for "
        "0..255, or its mean and std",
    )


def _variation(features: np.ndarray) -> float:
    """Return how much features differ between examples, relative to their size."""
    values = features.astype(np.float64)
    size = float(np.abs(values).mean())
    return float(values.std(axis=0).mean()) / size if size and np.isfinite(values).all() else 0.0
