"""Selects a few examples of a task and shrinks them for display in reports."""

from __future__ import annotations

import base64
import io
import logging

import numpy as np

from assay.core.task import LabelKind, Labels, Sound, Split, Task, TaskKind, Words
from assay.findings.facts import ShownExample

MOST_SHOWN = 12
_PIXELS = 96  # the longer side; displayed at 48 to 84 pixels
_QUALITY = 60  # WebP quality: about 2 kB per photo
_LETTERS = 220
_DECIBELS = 80  # dynamic range below the maximum; lower levels are black

logger = logging.getLogger(__name__)


def shown_examples(task: Task) -> tuple[ShownExample, ...]:
    """Return up to twelve examples of train, spread over the classes or the target values.

    Unreadable examples are skipped, because display must not fail a study.
    """
    examples = []
    for row in _spread(task.train.labels):
        try:
            examples.append(_shown(task, task.train, row))
        except OSError as error:
            logger.warning("'%s' is not shown: %s", task.train.examples.name(row), error)
    return tuple(examples)


def _spread(labels: Labels) -> list[int]:
    """Return rows of examples with diverse labels, ordered by class or target value."""
    count = labels.examples
    if labels.lengths is not None or not count:
        return list(range(min(count, MOST_SHOWN)))
    if labels.kind is LabelKind.REGRESSION:
        order = np.argsort(labels.strata(), kind="stable")
        return [int(order[position]) for position in _evenly_spaced(count)]
    rows_of: dict[int, list[int]] = {}
    for row, stratum in enumerate(labels.strata().tolist()):
        rows_of.setdefault(stratum, []).append(row)
    each = max(1, MOST_SHOWN // len(rows_of))
    rows = [row for stratum in sorted(rows_of) for row in rows_of[stratum][:each]]
    return [rows[position] for position in _evenly_spaced(len(rows))]


def _evenly_spaced(count: int) -> list[int]:
    """Return up to twelve evenly spaced positions in a list of ``count`` items, including both ends."""
    return [*map(int, np.unique(np.linspace(0, count - 1, min(count, MOST_SHOWN)).round()))]


def _shown(task: Task, split: Split, row: int) -> ShownExample:
    name, label = split.examples.name(row), _label(task, split.labels.of([row]))
    example = split.examples.read(row)
    if isinstance(example, Sound):
        return ShownExample(name, label, picture=_picture(_spectrogram(example)))
    if isinstance(example, np.ndarray):
        return ShownExample(name, label, picture=_picture(example))
    return ShownExample(name, label, text=_beginning(example))


def _label(task: Task, labels: Labels) -> str:
    if labels.lengths is not None:
        return " ".join(task.classes[value] for value in labels.values[:MOST_SHOWN])
    value = labels.values[0]
    if task.kind is TaskKind.CLASSIFICATION:
        return task.classes[int(value)]
    if task.kind is TaskKind.MULTILABEL:
        return ", ".join(np.array(task.classes)[value.astype(bool)]) or "none"
    return ", ".join(f"{number:.4g}" for number in np.atleast_1d(value))


def _beginning(example: str | tuple[str, str] | Words) -> str:
    if isinstance(example, Words):
        text = " ".join(example.words)
    else:
        text = example if isinstance(example, str) else " · ".join(map(str, example))
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def _spectrogram(sound: Sound) -> np.ndarray:
    """Return a spectrogram as an image (height x width x 3, uint8), low frequencies at the bottom."""
    window = np.hanning(2 * _PIXELS)
    samples = np.pad(sound.samples, (0, max(0, len(window) - len(sound.samples))))
    starts = np.linspace(0, len(samples) - len(window), _PIXELS).astype(int)
    frames = np.stack([samples[start : start + len(window)] for start in starts])
    power = np.abs(np.fft.rfft(frames * window, axis=1)).T[::-1] ** 2
    decibels = 10 * np.log10(np.maximum(power / max(power.max(), 1e-12), 1e-12))  # silence: power.max() is 0
    grey = 255 * np.clip(1 + decibels / _DECIBELS, 0, 1)
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def _picture(image: np.ndarray) -> str:
    from PIL import Image

    small = Image.fromarray(image)
    small.thumbnail((_PIXELS, _PIXELS), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=_QUALITY, method=6)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
