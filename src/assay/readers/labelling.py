"""Converts the cells of a label column to labels: kind, classes, and rows without labels."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels, TaskKind
from assay.readers.guess import guess_kind
from assay.readers.numbers import Numbers, is_missing, read_numbers

_INTEGER = re.compile(r"(-?\d+)\.0+")
_SEPARATORS = ("||", "|", ";", ",", "/", "+", "#", "&", " ")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?\b|\d\d?([./-])\d\d?\1\d{4}\b")
_NINES = re.compile("9+")  # what marks a missing number in files of sensors and surveys, as -999 does
_ZEROS = re.compile(r"^\+?0*(?=\d)")
_MANY_ROWS = 20  # from which labels that hardly repeat are an error
_SHOWN = 5  # marks in a message


class Cells(NamedTuple):
    """The cells of a label column."""

    column: str
    names: Sequence[str]  # the distinct cells, trimmed
    codes: np.ndarray  # for each row, the index into names; -1 if there is no cell
    row_name: Callable[[int], str]


class Labelled(NamedTuple):
    """The labels of the rows that have one."""

    labels: Labels  # of the kept rows only
    kept: np.ndarray  # positions of rows with a label
    notes: tuple[str, ...]


def class_labels(names: Sequence[str] | np.ndarray) -> Labels:
    """Return classification labels from class names; the classes are sorted."""
    classes, values = np.unique(names, return_inverse=True)
    return Labels(LabelKind.CLASSIFICATION, values, tuple(str(name) for name in classes))


def multilabel_labels(sets: Sequence[Iterable[str]]) -> Labels:
    """Return multilabel labels from sets of class names; the classes are sorted."""
    classes = sorted({name for names in sets for name in names})
    positions = {name: position for position, name in enumerate(classes)}
    hot = np.zeros((len(sets), len(classes)), dtype=np.int64)
    for row, names in enumerate(sets):
        hot[row, [positions[name] for name in names]] = 1
    return Labels(LabelKind.MULTILABEL, hot, tuple(classes))


def tag_labels(texts: Iterable[Sequence[str]]) -> Labels:
    """Return word labels from the tags of each text, concatenated over texts."""
    positions: dict[str, int] = {}
    values, lengths = array("q"), array("q")  # a tenth of the memory of Python lists
    for tags in texts:
        lengths.append(len(tags))
        values.extend(positions.setdefault(tag, len(positions)) for tag in tags)
    classes = sorted(positions)
    order = np.empty(len(classes), dtype=np.int64)
    order[[positions[name] for name in classes]] = np.arange(len(classes))
    return Labels(LabelKind.CLASSIFICATION, order[np.array(values)], tuple(classes), np.array(lengths))


def parse_kind(kind: str | None) -> TaskKind | None:
    """Parse the user's task kind."""
    if kind is None or kind in set(TaskKind):
        return None if kind is None else TaskKind(kind)
    known = ", ".join(f"kind='{name}'" for name in TaskKind)
    raise UsageError(f"Setting 'kind' is '{kind}'. Write one of {known}.")


def label_rows(cells: Cells, kind: TaskKind | None, missing: Sequence[str] = ()) -> Labelled:
    """Create one label per row from the cells of a column, skipping rows without a label.

    Args:
        cells: The cells of the column.
        kind: The user's task kind, or None to guess it from the labels.
        missing: What marks a missing label, besides an empty cell, and "NA" and the like among numbers.

    Raises:
        UnreadableTask: More than half of the rows have no label, regression labels are not numbers, some
            labels are numbers and some are words, or the column's name is one of its labels.
    """
    column, names, codes, row_name = cells
    if column in names:
        raise UnreadableTask(
            f"'{column}' is in the first line and again below it: the table seems to have no names of "
            "columns. Write them in its first line, as in text,label."
        )
    numbers = read_numbers(["" if name in missing else name for name in names])
    numeric = numbers.are_all
    is_none = np.array([not name or name in missing for name in names], dtype=bool)
    if numeric or kind is TaskKind.REGRESSION:
        is_none |= numbers.missing
    is_none = np.append(is_none, True)  # code -1: no cell
    none = is_none[codes]
    kept = np.flatnonzero(~none)
    notes = missing_note(f"'{column}'", none, row_name, _marks(names, codes[none]))
    codes = codes[kept]

    if kind is None:
        if not numeric:
            _require_one_sort(cells, numbers, kept)
        present = [names[code] for code in np.unique(codes)]
        kind, note = guess_kind(column, present, len(codes))
        notes += (note,) if note else ()
        if kind is TaskKind.CLASSIFICATION:
            notes += _checked_classes(column, present, len(codes))
    if kind is TaskKind.REGRESSION:
        wrong = np.flatnonzero(~np.isfinite(numbers.values[codes]))
        if len(wrong):
            row = int(wrong[0])
            name = names[codes[row]]
            raise UnreadableTask(
                f"Column '{column}', {row_name(int(kept[row]))}: the label '{name}' is not a number. "
                f"Write missing='{name}' if it marks a missing number, kind='classification' if labels are "
                "classes, or name a column of numbers."
            )
        notes += (*written_note(cells, numbers), *_far_note(cells, numbers.values, codes))
        return Labelled(Labels(LabelKind.REGRESSION, numbers.values[codes]), kept, notes)
    canonical, notes = _class_names(column, names, codes, notes, numeric=numeric)
    used, inverse = np.unique(codes, return_inverse=True)
    return Labelled(class_labels([canonical[code] for code in used]).of(inverse), kept, notes)


def _require_one_sort(cells: Cells, numbers: Numbers, kept: np.ndarray) -> None:
    """Raise if most labels are quantities, and a few words among them would make each number a class."""
    column, names, codes, row_name = cells
    is_number = np.isfinite(numbers.values)[codes[kept]]
    quantities = [names[code] for code in np.unique(codes[kept][is_number])]
    if (
        is_number.sum() < len(kept) / 2
        or guess_kind(column, quantities, len(kept))[0] is not TaskKind.REGRESSION
    ):
        return
    odd = kept[~is_number]
    words = list(dict.fromkeys(names[code] for code in codes[odd]))
    marks = words[0] if len(words) == 1 else tuple(words)
    cure = (
        f"Write missing={marks!r} if that marks missing numbers, write" if len(words) <= _SHOWN else "Write"
    )
    raise UnreadableTask(
        f"'{column}' holds numbers in {is_number.sum()} of {len(kept)} rows, and something else in "
        f"{len(odd)}: '{words[0]}' first ({row_name(int(odd[0]))}). {cure} the numbers in one way, or "
        "kind='classification' if each is a class."
    )


def _checked_classes(column: str, names: Sequence[str], rows: int) -> tuple[str, ...]:
    """Return notes about guessed classes that may be none; raise if there is one for nearly every row."""
    if rows >= _MANY_ROWS and 2 * len(names) > rows:
        raise UnreadableTask(
            f"'{column}' holds {len(names)} different values in {rows} rows, such as '{names[0]}': they seem "
            "to name rows rather than classes. Name another column, as in label='...', write numbers with "
            "one unit or none, or kind='classification' if each is a class."
        )
    notes = _separated(column, names)
    if all(map(_DATE.match, names)):
        notes += (f"'{column}' holds dates: each is a class. Name another column if not.",)
    return notes


def _far_note(cells: Cells, values: np.ndarray, codes: np.ndarray) -> tuple[str, ...]:
    """Return a note about nines, such as -999, far from all other numbers: they may mark missing ones."""
    used = np.unique(codes)
    others = np.array([value for value in values[used] if not _NINES.fullmatch(f"{abs(value):.15g}")])
    if len(others) < 2:
        return ()
    low, high = others.min(), others.max()
    far = [code for code in used if not 2 * low - high <= values[code] <= 2 * high - low]
    if not far:
        return ()
    name, count = cells.names[far[0]], int(np.isin(codes, far).sum())
    return (
        f"'{cells.column}' holds '{name}' in {count} of {len(codes)} rows, far from all other numbers "
        f"({low:.5g} to {high:.5g}). Write missing='{name}' if it marks a missing number.",
    )


def _separated(column: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return a note if cells such as pos|long seem to name several classes."""
    for separator in _SEPARATORS:
        joined = [name for name in names if separator in name]
        parts = {part.strip() for name in names for part in name.split(separator)}
        alone = len(parts.intersection(names)) if separator == " " else len(parts)  # names hold spaces, too
        if len(joined) >= 2 and len(parts) < len(names) and "" not in parts and alone > 1:
            return (
                f"'{joined[0]}' in '{column}' counts as one class. If cells name several classes, write "
                f"label_separator='{separator}'.",
            )
    return ()


def _marks(names: Sequence[str], codes: np.ndarray) -> str:
    """Return which marks stand in cells without a value, and how often, such as "'NA' 7 times"."""
    found, counts = np.unique(codes[codes >= 0], return_counts=True)
    marked = [(int(count), names[code]) for code, count in zip(found, counts, strict=True) if names[code]]
    return ", ".join(f"'{name}' {count} times" for count, name in sorted(marked, reverse=True)[:_SHOWN])


def alike_note(column: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return a note about classes with similar names, such as 'Good' and 'good'."""
    alike: dict[str, list[str]] = {}
    for name in sorted(names):
        letters = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
        folded = " ".join(unicodedata.normalize("NFKC", letters).casefold().split())
        folded = _ZEROS.sub("", folded) if folded.lstrip("+").isdecimal() else folded
        alike.setdefault(folded, []).append(name)
    several = [spelled for spelled in alike.values() if len(spelled) > 1]
    if not several:
        return ()
    first = " and ".join(f"'{name}'" for name in several[0])
    return (
        f"The classes {first} in '{column}' differ only in case, spaces, leading zeros or letters that look "
        f"alike ({len(several)} such). Write them in one way if they are one class.",
    )


def written_note(cells: Cells, numbers: Numbers) -> tuple[str, ...]:
    """Return a note about numbers that are not written plainly, such as 12,345."""
    rows = np.flatnonzero(np.append(numbers.dressed, False)[cells.codes])
    if not len(rows):
        return ()
    first = cells.codes[rows[0]]
    return (
        f"{len(rows)} of {len(cells.codes)} numbers in '{cells.column}' are written like "
        f"'{cells.names[first]}', which is read as {numbers.values[first]:.15g}.",
    )


def missing_note(
    columns: str, none: np.ndarray, row_name: Callable[[int], str], marks: str = ""
) -> tuple[str, ...]:
    """Return a note about rows without a label; raise if they are more than half."""
    count = int(none.sum())
    if not count:
        return ()
    first = row_name(int(np.flatnonzero(none)[0]))
    what = "no value" if marks else "an empty cell"
    shown = f"{marks}; first: {first}" if marks else f"first: {first}"
    message = f"{count} of {len(none)} rows have {what} in {columns} ({shown})"
    if count > len(none) / 2:
        raise UnreadableTask(f"{message}: more than half. Name another column, as in label='...'.")
    return (f"{message} and are left out.",)


def _class_names(
    column: str, names: Sequence[str], codes: np.ndarray, notes: tuple[str, ...], *, numeric: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Return the class of each distinct cell; '1.0' equals '1' only if all labels are numbers."""
    integers = {name: match[1] for name in names if (match := _INTEGER.fullmatch(name))}
    if numeric:
        plain = [integers.get(name, name) for name in names]
        return plain, notes + alike_note(column, {plain[code] for code in np.unique(codes)})
    found, counts = np.unique(codes, return_counts=True)
    used = {names[code] for code in found}
    marks = {names[code]: int(count) for code, count in zip(found, counts, strict=True)}
    marks = {name: count for name, count in marks.items() if is_missing(name)}
    if marks:
        shown = ", ".join(f"'{name}' ({count} rows)" for name, count in marks.items())
        notes += (
            f"{shown} in '{column}' {'counts' if len(marks) == 1 else 'each count'} as a class, because "
            f"other labels are words. Write missing='{next(iter(marks))}' if it marks a missing label.",
        )
    spellings = {name.lower() for name in used}
    if spellings <= {"true", "false"}:
        return [name.capitalize() if len(spellings) < len(used) else name for name in names], notes
    notes += alike_note(column, used)
    if spellings <= {"true", "false", "0", "1", "0.0", "1.0"}:
        notes += (f"'{column}' holds both words and numbers for true and false: each counts as a class.",)
    doubled = sorted(name for name in integers.keys() & used if integers[name] in used)
    if doubled:
        name = doubled[0]
        notes += (
            f"The labels '{integers[name]}' and '{name}' in '{column}' count as two classes, "
            "because other labels are words.",
        )
    return list(names), notes
