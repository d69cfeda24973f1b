"""Predicts with a saved model for files, folders, tables and texts, in the order of the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from assay.actions.load import Saved
from assay.actions.saved_folder import SavedSettings
from assay.core.errors import UnreadableTask, UsageError
from assay.core.paths import path_of
from assay.core.predictor import Predicted
from assay.core.task import Example, LabelKind, Modality, TaskKind, Words
from assay.plugins.address import Address
from assay.readers.unlabelled import NewExample, Unlabelled, given_texts
from assay.tasks.conll import SUFFIXES, TagColumns, read_conll

_AT_ONCE = {Modality.IMAGE: 32, Modality.AUDIO: 32, Modality.TEXT: 512}  # examples in one call of the model


class NewInputs(NamedTuple):
    """What the user wants predictions for.

    Attributes:
        inputs: Files, folders and tables.
        columns: The columns of tables that hold an example; empty for those of the task.
        texts: Texts themselves.
        seconds: Their second texts, for pairs; empty for others.
    """

    inputs: Sequence[str] = ()
    columns: Sequence[str] = ()
    texts: Sequence[str] = ()
    seconds: Sequence[str] = ()


class NewPrediction(NamedTuple):
    """The prediction for one example, or why there is none.

    Attributes:
        input: The file, table or text that the user named.
        row: The row of a table, from 1; None elsewhere.
        prediction: A class; several, or one for each word; a number, or several. None with an error.
        probabilities: The probability of each class, or one for each word; empty without.
        error: The reason why there is no prediction; empty otherwise.
    """

    input: str
    row: int | None
    prediction: str | float | list[str] | list[float] | None = None
    probabilities: Mapping[str, float | list[float]] = {}
    error: str = ""


def answers(saved: Saved, asked: NewInputs, *, probabilities: bool = False) -> Iterator[NewPrediction]:
    """Yield an answer for each example, in the order of the request.

    Raises:
        UsageError: Nothing is asked, the model does not read what is, or it has no probabilities.
    """
    settings = saved.settings
    if probabilities and not settings.decision.has_probs:
        raise UsageError(
            f"'{settings.method}' gives no probabilities for {settings.kind}. Leave out --probabilities."
        )
    rest = _examples(asked, settings)
    while batch := list(islice(rest, _AT_ONCE[settings.modality])):
        yield from _of_batch(saved, batch, probabilities=probabilities)


def _examples(asked: NewInputs, settings: SavedSettings) -> Iterator[NewExample]:
    if not (asked.inputs or asked.texts):
        what = "or texts themselves, with --text" if settings.modality is Modality.TEXT else "or folders"
        raise UsageError(f"There is nothing to predict. Name files, tables ({settings.modality}), {what}.")
    is_text, is_pair = settings.modality is Modality.TEXT, len(settings.columns) == 2
    if asked.texts and not is_text:
        raise UsageError(f"The model reads {settings.modality} files, not texts. Leave out --text.")
    if len(asked.seconds) != (len(asked.texts) if is_pair else 0):
        needed = "one --text2 for each --text: it reads pairs" if is_pair else "no --text2: it reads no pairs"
        raise UsageError(f"The model needs {needed}.")
    columns = tuple(asked.columns) or settings.columns
    if len(columns) != max(len(settings.columns), 1) and columns:
        raise UsageError(f"The model reads {max(len(settings.columns), 1)} columns. Write --column for each.")
    is_tokens = settings.kind is TaskKind.TOKENS
    reader = Unlabelled(settings.modality, columns, is_tokens, settings.ranges, settings.full_scale)
    for given in asked.inputs:
        if is_tokens and not columns and given.lower().endswith(SUFFIXES):
            yield from _tagged_texts(given, settings)
        else:
            yield from reader.examples(given)
    yield from given_texts(asked.texts, asked.seconds, is_tokens=is_tokens)


def _tagged_texts(given: str, settings: SavedSettings) -> Iterator[NewExample]:
    """Yield the texts of a CoNLL file, in which tags may be missing."""
    path, stated = path_of(given), dict(Address.parse(settings.task).settings)
    written = stated.get("word")
    word = TagColumns.of(path, written if isinstance(written, int) else None, None).word
    try:
        for row, text in enumerate(read_conll(path, TagColumns(word, word)), 1):
            yield NewExample(given, row, Words(text.words))
    except UnreadableTask as error:
        yield NewExample(given, None, None, str(error))
    except OSError as error:
        yield NewExample(given, None, None, error.strerror or str(error))


def _of_batch(saved: Saved, batch: Sequence[NewExample], *, probabilities: bool) -> Iterator[NewPrediction]:
    readable = [new.example for new in batch if new.example is not None]
    predicted = iter(_predicted(saved, readable))
    for new in batch:
        outcome = new.error if new.example is None else next(predicted)
        if isinstance(outcome, str):
            yield NewPrediction(new.input, new.row, error=outcome)
        else:
            probs = _probabilities(saved, outcome) if probabilities else {}
            yield NewPrediction(new.input, new.row, _prediction(saved, outcome), probs)


def _predicted(saved: Saved, examples: Sequence[Example]) -> Iterator[Predicted | str]:
    """Yield the prediction for each example, or why the model fails on it."""
    if not examples:
        return
    try:
        together = saved.predict(examples)
    except Exception as error:  # one example must not end its batch: each is predicted alone
        if len(examples) == 1:
            yield f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            return
        for example in examples:
            yield from _predicted(saved, [example])
        return
    yield from _apart(together, examples)


def _apart(predicted: Predicted, examples: Iterable[Example]) -> Iterator[Predicted]:
    start = 0
    for example in examples:
        count = len(example.words) if isinstance(example, Words) else 1
        yield predicted.take(np.arange(start, start + count))
        start += count


def _prediction(saved: Saved, predicted: Predicted) -> str | float | list[str] | list[float]:
    settings, values = saved.settings, predicted.values
    if settings.kind is TaskKind.TOKENS:
        return [saved.classes[int(position)] for position in values]
    if settings.kind.label_kind is LabelKind.MULTILABEL:
        return [name for name, applies in zip(saved.classes, values[0], strict=True) if applies]
    if settings.kind.label_kind is LabelKind.REGRESSION:
        return [float(number) for number in values[0]] if settings.shape else float(values[0])
    return saved.classes[int(values[0])]


def _probabilities(saved: Saved, predicted: Predicted) -> Mapping[str, float | list[float]]:
    assert predicted.probs is not None  # has_probs was asked
    is_tokens = saved.settings.kind is TaskKind.TOKENS
    return {
        name: column.tolist() if is_tokens else float(column[0])
        for name, column in zip(saved.classes, predicted.probs.T, strict=True)
    }
