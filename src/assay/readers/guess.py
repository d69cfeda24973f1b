"""Guesses the roles of a table's columns and the kind of a task, with notes about each guess."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.task import TaskKind
from assay.core.text import few
from assay.readers.images import is_image
from assay.readers.lists import splitter
from assay.readers.named_columns import NamedColumns
from assay.readers.numbers import read_numbers
from assay.readers.split_columns import SplitColumn, find_split
from assay.readers.structured_cells import refuse_structured
from assay.readers.table_columns import TableColumns

_FEW_CLASSES = 0.5  # maximum fraction of distinct cells in a guessed label column
_PARALLEL = 0.9  # minimum fraction of rows with as many tags as words for columns of labelled words
_MANY_NUMBERS = 20
_TRUTHS = ({"0", "1"}, {"0.0", "1.0"}, {"true", "false"}, {"True", "False"})
_MANY_SHARE = 0.05


def choose_columns(
    title: str, head: Mapping[str, Sequence[str]], chosen: NamedColumns, kind: TaskKind | None = None
) -> TableColumns:
    """Choose columns by the user's settings, then by their names, then by their contents.

    Args:
        title: The name of the table, for messages.
        head: The first cells of each column.
        chosen: The columns named by the user.
        kind: The task kind given by the user, or None.

    Raises:
        UnknownName: The user named a column that does not exist.
        UnreadableTask: There is no candidate for the label or the examples.
    """
    _require(title, head, chosen)
    found = SplitColumn(chosen.split)
    if chosen.split is None:
        found = find_split(head, (*chosen.named, *_column_names()["labels"]), _column_names()["splits"])
    split = found.name
    if kind in {None, TaskKind.TOKENS}:
        tagged = _tagged(title, head, chosen, must=kind is TaskKind.TOKENS or chosen.words is not None)
        if tagged is not None:
            words, tags, notes = tagged
            return TableColumns(
                (tags,), split=split, words=words, notes=(*notes, *found.notes_besides((words, tags)))
            )
    if chosen.text is None and chosen.image is None and not _called(head, _column_names()["texts"]):
        _refuse_numbers(title, _free(head, {split or ""}), least=2)
    taken = {*chosen.named, *((split,) if split else ())}
    labels = chosen.labels
    notes = ()
    if not labels:
        label, notes = _label(title, head, taken)
        labels = (label,)
        taken.add(label)
    refuse_structured(title, {name: head[name] for name in labels})
    notes = (*notes, *found.notes_besides(labels))

    image = chosen.image
    if image is None and chosen.text is None:
        image = _first(_free(head, taken), "images", _are_images)
    if image is not None:
        return TableColumns(labels, image=image, split=split, notes=notes)
    texts, text_notes = _texts(title, head, chosen, taken)
    return TableColumns(labels, texts, split=split, notes=(*notes, *text_notes))


def refuse_unlabelled(
    columns: Iterable[str], lacking: Mapping[str, tuple[Sequence[str], Sequence[str]]], chosen: NamedColumns
) -> None:
    """Raise ``UnreadableTask`` if files lack the label column of another, as a hidden test does.

    Args:
        columns: The columns that all files have.
        lacking: See ``TextTable``.
        chosen: The columns named by the user.
    """
    if chosen.labels:
        lost = [name for name in chosen.labels if name in lacking]
    elif _called(columns, _column_names()["labels"]):
        lost = []
    else:
        lost = _called(lacking, _column_names()["labels"])
        lost += [name for name, (_, cells) in lacking.items() if _are_classes(cells)]
    if lost:
        raise UnreadableTask(
            f"{' and '.join(lacking[lost[0]][0])}: the label column '{lost[0]}' is missing. Name the file "
            f"that has it, as in table:folder/train.csv(label='{lost[0]}'): val and test are drawn from it."
        )


def guess_kind(column: str, names: Sequence[str], rows: int) -> tuple[TaskKind, str]:
    """Guess the kind of a task from the distinct labels; also return a note, which may be empty.

    Numbers mean regression if some are not integers and at least three are distinct, or if more than 20,
    and more than 5 % of the rows, are distinct.

    >>> guess_kind("stars", ["1", "2", "3"], 500)[0]
    <TaskKind.CLASSIFICATION: 'classification'>
    """
    numbers = read_numbers(names)
    if not numbers.are_all:
        return TaskKind.CLASSIFICATION, ""
    whole = all(number == int(number) for number in numbers.values)
    different = len(set(numbers.values))
    many = different > _MANY_NUMBERS and different > _MANY_SHARE * rows
    if many or (not whole and different > 2):
        return TaskKind.REGRESSION, (
            f"'{column}' holds {different} different numbers: the task is regression. "
            "Write kind='classification' if they are names of classes."
        )
    if different > _MANY_NUMBERS:
        return TaskKind.CLASSIFICATION, (
            f"'{column}' holds {different} whole numbers: they are taken as classes. "
            "Write kind='regression' if they are quantities."
        )
    return TaskKind.CLASSIFICATION, ""


def _require(title: str, head: Mapping[str, Sequence[str]], chosen: NamedColumns) -> None:
    if chosen.label is not None and (
        not chosen.labels or not all(isinstance(column, str) for column in chosen.labels)
    ):
        raise UsageError(
            f"label={chosen.label!r} names no column. Write label='stars' or label=('red', 'round')."
        )
    named = chosen.named
    for name in named:
        if name not in head:
            raise UnknownName(f"column in {title} (which has {', '.join(head)})", name, head)
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise UsageError(f"The column '{twice}' is named twice. Name another one for one of its two uses.")
    if chosen.text2 and not chosen.text:
        raise UsageError(f"text2='{chosen.text2}' needs text='...' as well. Write both columns of the pair.")
    if sum(column is not None for column in (chosen.image, chosen.text, chosen.words)) > 1:
        raise UsageError(
            "A task has texts, images or words, not two of them. "
            "Write one of text='...', image='...', words='...'."
        )


def _tagged(
    title: str, head: Mapping[str, Sequence[str]], chosen: NamedColumns, *, must: bool
) -> tuple[str, str, tuple[str, ...]] | None:
    """Return the columns of words and tags, and notes; None if there are no tagged words."""
    if not must and (chosen.text or chosen.image or len(chosen.labels) > 1):
        return None
    words = chosen.words or chosen.text or next(iter(_called(head, _column_names()["words"])), None)
    if words is not None and must and len(chosen.labels) == 1:
        return words, chosen.labels[0], ()
    for name in chosen.labels or _called(head, _column_names()["tags"]):
        if words is not None and name != words and _are_parallel(head[words], head[name]):
            return words, name, (
                f"'{words}' holds words and '{name}' a tag for each: every word is classified (tokens). "
                f"Write text='{words}', label='...' for one label of each text.",
            )  # fmt: skip
    if not must:
        return None
    raise UnreadableTask(
        f"Cannot tell which columns of {title} hold words and a tag for each: it has {', '.join(head)}. "
        "Write for example (words='tokens', label='tags') after its name."
    )


def _are_parallel(words: Sequence[str], tags: Sequence[str]) -> bool:
    """Return whether nearly all rows have as many tags as words."""
    split_words, split_tags = splitter(words), splitter(tags)
    counts = [len(split_words(cell.strip())) for cell in words]
    equal = sum(len(split_tags(cell.strip())) == count for cell, count in zip(tags, counts, strict=True))
    return equal >= _PARALLEL * len(counts) and max(counts, default=0) > 1


def column_names(what: str) -> Sequence[str]:
    """Return the usual names of columns of images, labels, texts, ..., in lower case."""
    names: Sequence[str] = _column_names()[what]
    return names


@functools.cache
def _column_names() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("column_names.toml").read_text("utf-8"))


def _called(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the columns with any of the given names, in the order of the names."""
    by_name = {column.lower(): column for column in columns}
    return [by_name[name] for name in names if name in by_name]


def _free(head: Mapping[str, Sequence[str]], taken: set[str]) -> dict[str, Sequence[str]]:
    return {name: cells for name, cells in head.items() if name not in taken}


def _first(head: Mapping[str, Sequence[str]], what: str, fits: Callable[[Sequence[str]], bool]) -> str | None:
    return next((name for name in _called(head, _column_names()[what]) if fits(head[name])), None)


def _choice(columns: Sequence[str], what: str) -> tuple[str, ...]:
    """Return a note if there are alternatives to the first column."""
    first, *others = columns
    if not others:
        return ()
    return (f"'{first}' is taken as the {what}; {', '.join(others)} could be it too: write {what}='...'.",)


def _are_images(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and sum(is_image(cell) for cell in filled) >= 0.9 * len(filled)


def _label(title: str, head: Mapping[str, Sequence[str]], taken: set[str]) -> tuple[str, tuple[str, ...]]:
    free = _free(head, taken)
    if named := _called(free, _column_names()["labels"]):
        return named[0], _choice(named, "label")
    texts = _column_names()["texts"]
    fits = [name for name, cells in free.items() if _are_classes(cells) and name.lower() not in texts]
    numbers = [name for name in head if read_numbers([name]).are_all and not any(map(str.isalpha, name))]
    if numbers:
        raise UnreadableTask(
            f"The first line of {title} seems to be a row: it has {', '.join(head)}. "
            f"Put the names of the columns into the first line, or write label='{numbers[0]}'."
        )
    numbers = [
        name for name, cells in free.items() if _are_quantities(cells) and name.lower() not in {*texts, *fits}
    ]
    if len(fits) == 1 and (others := [name for name in numbers if name != fits[0]]):
        return fits[0], (
            f"'{fits[0]}' is taken as the label, because its values repeat; {', '.join(others)} could be it "
            "too: write label='...'.",
        )
    if not fits and len(numbers) == 1 and len(free) == 2:
        return numbers[0], (f"'{numbers[0]}' is taken as the label: it is the only column of numbers.",)
    if len(fits) == 1:
        return fits[0], (
            f"'{fits[0]}' is taken as the label, because its values repeat: write label='...' if not.",
        )
    refuse_structured(title, free)
    truths = [name for name, cells in free.items() if {*cells} in _TRUTHS]
    example = repr(tuple(truths)) if len(truths) > 1 else f"'{list(head)[-1]}'"
    hint = ", if each of these columns says whether a class applies" if len(truths) > 1 else ""
    raise UnreadableTask(
        f"Cannot tell which column of {title} is the label: it has {', '.join(head)}. "
        f"Write for example (text='...', label={example}) after its name{hint}."
    )


def _are_classes(cells: Sequence[str]) -> bool:
    different = len({cell for cell in cells if cell})
    return 2 <= different <= _FEW_CLASSES * len(cells)


def _are_quantities(cells: Sequence[str]) -> bool:
    """Return whether cells are numbers, not all of them whole, in any notation."""
    read = read_numbers(list({*cells}))
    return read.are_all and bool((read.values[~read.missing] % 1 != 0).any())


def _texts(
    title: str, head: Mapping[str, Sequence[str]], chosen: NamedColumns, taken: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if chosen.text:
        return (chosen.text, chosen.text2) if chosen.text2 else (chosen.text,), ()
    free = _free(head, taken)
    for names in _column_names()["pairs"]:
        if len(pair := _called(free, names)) == 2:
            return tuple(pair), ()
    if named := _called(free, _column_names()["texts"]):
        return (named[0],), _choice(named, "text")
    wordy = sorted((name for name in free if _words(free[name]) >= 2), key=lambda name: -_words(free[name]))
    if wordy:
        return (wordy[0],), (f"'{wordy[0]}' is taken as the text, because it has the most words.",)
    _refuse_numbers(title, free)
    raise UnreadableTask(
        f"Cannot tell which column of {title} holds the examples: it has {', '.join(head)}. "
        "Write for example (text='...', label='...') after its name, or image='...' for image files."
    )


def _refuse_numbers(title: str, columns: Mapping[str, Sequence[str]], least: int = 1) -> None:
    """Raise ``UnreadableTask`` if all columns that may be examples, at least so many, hold numbers."""
    if len(columns) >= least and all(read_numbers(cells).are_all for cells in columns.values()):
        raise UnreadableTask(
            f"No column of {title} holds texts, or paths of images or sounds, to encode: "
            f"{few([*columns], 5)} {'hold' if len(columns) > 1 else 'holds'} numbers. Add such a column; for "
            "features that you have already, write assay score features.npz."
        )


def _words(cells: Sequence[str]) -> float:
    return sum(len(cell.split()) for cell in cells) / max(len(cells), 1)
