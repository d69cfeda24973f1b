"""Selects a few examples of a task and shrinks them for display in reports."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterable, Sequence

import numpy as np

from assay.core.task import Examples, LabelKind, Labels, Sound, Task, TaskKind, Words
from assay.findings.facts import ShownExample

MOST_SHOWN = 12
_PIXELS = 96  # the longer side; displayed at 48 to 84 pixels
_QUALITY = 60  # WebP quality: about 2 kB per photo
_LARGER = 128  # the same of a test example, which is looked at alone
_LETTERS = 220
_BESIDE = 90  # letters on either side of a word
_DECIBELS = 80  # dynamic range below the maximum; lower levels are black

logger = logging.getLogger(__name__)


def shown_examples(task: Task) -> tuple[ShownExample, ...]:
    """Return up to twelve examples of train, spread over the classes or the target values.

    Unreadable examples are skipped, because display must not fail a study.
    """
    examples = []
    for row in _spread(task.train.labels):
        try:
            label = _label(task, task.train.labels.of([row]))
            examples.append(_shown(task.train.examples, row, label))
        except OSError as error:
            logger.warning("'%s' is not shown: %s", task.train.examples.name(row), error)
    return tuple(examples)


def shown_tests(task: Task, rows: Iterable[int]) -> dict[int, ShownExample]:
    """Return the examples of test with labels at these positions; unreadable ones are skipped.

    Args:
        task: A task with one class for each example or word.
        rows: Positions in the labels of test. A labelled word stands in brackets in the middle of its text.
    """
    examples = {}
    for row in rows:
        text, word = _place_of(task.test.labels, row)
        try:
            label = task.classes[int(task.test.labels.values[row])]
            examples[row] = _shown(task.test.examples, text, label, word=word, pixels=_LARGER)
        except OSError as error:
            logger.warning("'%s' is not shown: %s", task.test.examples.name(text), error)
    return examples


def _place_of(labels: Labels, row: int) -> tuple[int, int | None]:
    """Return the example to which a label belongs, and the position of its word if words are labelled."""
    if labels.lengths is None:
        return row, None
    ends = np.cumsum(labels.lengths)
    text = int(np.searchsorted(ends, row, side="right"))
    return text, int(row - (ends[text] - labels.lengths[text]))


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


def _shown(
    examples: Examples, row: int, label: str, *, word: int | None = None, pixels: int = _PIXELS
) -> ShownExample:
    name, example = examples.name(row), examples.read(row)
    if isinstance(example, Sound):
        seconds = f"{len(example.samples) / example.rate:.1f} s"
        return ShownExample(name, label, seconds, _picture(_spectrogram(example), pixels))
    if isinstance(example, np.ndarray):
        return ShownExample(name, label, picture=_picture(example, pixels))
    if isinstance(example, Words) and word is not None:
        return ShownExample(name, label, text=_around(example.words, word))
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


def _around(words: Sequence[str], place: int) -> str:
    """Return a word in brackets with its neighbours."""
    before, after = " ".join(words[:place]), " ".join(words[place + 1 :])
    before = before if len(before) <= _BESIDE else "…" + before[-_BESIDE:]
    after = after if len(after) <= _BESIDE else after[:_BESIDE] + "…"
    return f"{before} [{words[place][:_BESIDE]}] {after}".strip()


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


def _picture(image: np.ndarray, pixels: int) -> str:
    from PIL import Image

    small = Image.fromarray(image)
    small.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=_QUALITY, method=6)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
