"""The first screen: what was measured, the best models, and the answer, in at most 24 lines of 80 columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rich.cells import cell_len

from assay.core.task import Modality
from assay.core.text import plural
from assay.findings.comparison import Comparison
from assay.reports.terminal.blocks import Block, Row, block_of
from assay.reports.terminal.lines import columns, command_lines, fitted, paragraph, shorten_end
from assay.reports.terminal.next_commands import StudyPlace, next_commands
from assay.wording import screen as words
from assay.wording.screen_warnings import warnings
from assay.wording.search import search_confidence, searched_line
from assay.wording.short_names import model_names, report_names, short_names

LINES, WIDTH, MOST_ROWS = 24, 80, 8
_NARROWEST = 20  # of names of models
_WARNINGS = 3
_ANSWER = len("Recommended: ")
_EXAMPLE = re.compile(r" \(first: [^()]*\)")
_RANDOM = ("random weights (control)", "random (control)")  # the second one where the table is wide


@dataclass(frozen=True, slots=True)
class _Room:
    """How much the parts of a screen may take: warnings and head in entries, the others in lines."""

    confidence: int
    warnings: int
    commands: int
    head: int
    warning_lines: int = 1
    has_gaps: bool = True
    rows: int = 3  # at least so many for each block


_ROOMS = (
    _Room(3, 3, 5, 2, warning_lines=2, rows=4),
    _Room(3, 3, 5, 2),
    _Room(2, 3, 4, 2),
    _Room(2, 2, 3, 2, rows=2),
    _Room(1, 1, 3, 2, has_gaps=False, rows=2),
    _Room(1, 1, 2, 1, has_gaps=False, rows=0),
)


@dataclass(frozen=True, slots=True)
class _Screen:
    """All that the screen may say."""

    notice: str
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...]
    notes: int
    commands: tuple[tuple[str, ...], ...]
    width: int = WIDTH
    names: Mapping[str, str] = field(default_factory=dict)


def screen_lines(comparison: Comparison, place: StudyPlace, width: int = WIDTH) -> list[str]:
    """Return the first screen, at most 24 lines.

    Args:
        comparison: All findings of a study.
        place: Where the study lies.
        width: The width of the terminal; 80 columns are used at most, and 60 at least.
    """
    names = report_names(comparison)
    tasks = short_names([findings.task.address for findings in comparison.tasks])
    blocks = []
    for modality in Modality:
        same = [findings for findings in comparison.tasks if findings.task.modality == modality]
        if same:
            block = block_of(comparison, same, names, tasks)
            if comparison.search is not None and len(same) == 1 and block.confidence:
                first, *rest = block.confidence
                missed = search_confidence(comparison.search, same[0])
                is_alone = missed and first == words.ALONE
                block = replace(block, confidence=(*missed, *rest) if is_alone else (first, *missed, *rest))
            blocks.append(block)
    found, notes = warnings(comparison, names)
    parts = _Screen(
        notice=_notice(comparison, names),
        blocks=tuple(blocks),
        warnings=tuple(found),
        notes=notes,
        commands=tuple(next_commands(comparison, place, model_names(comparison), tasks)),
        width=max(60, min(WIDTH, width)),
        names=names,
    )
    lines: list[str] = []
    for room in _ROOMS:
        lines = _composed(parts, room)
        if len(lines) <= LINES and lines:
            return lines
    return lines[:LINES]


def _notice(comparison: Comparison, names: Mapping[str, str]) -> str:
    if comparison.search is not None:
        return searched_line(comparison.search)
    return words.pending_line(comparison.pending, names) if comparison.pending else ""


def _composed(parts: _Screen, room: _Room) -> list[str]:
    """Return the screen with this room; empty if too few rows of the tables fit."""
    after = _after(parts, room)
    around = [_around(block, parts, room) for block in parts.blocks]
    gaps = max(0, len(parts.blocks) - 1) * (room is not _ROOMS[-1])
    notice = paragraph("", parts.notice, parts.width, 2) if parts.notice else []
    used = len(notice) + gaps + len(after) + sum(len(above) + len(below) for above, below in around)
    tables = [block for block in parts.blocks if block.rows or block.control]
    each = max(0, LINES - used) // max(1, len(tables))
    if any(each < min(room.rows, len(block.rows)) + 3 for block in tables) and room is not _ROOMS[-1]:
        return []
    lines = []
    for number, (block, (above, below)) in enumerate(zip(parts.blocks, around, strict=True)):
        lines += [""] * (number > 0 and gaps > 0) + above
        if number == 0:
            lines += notice
        lines += _table(block, parts, each) + below
    if not parts.blocks:
        lines += notice or ["Nothing has a result yet. Run the study again."]
    return lines + after


def _around(block: Block, parts: _Screen, room: _Room) -> tuple[list[str], list[str]]:
    """Return the lines above and below the table of a block."""
    gap = [""] * room.has_gaps
    above = [line for text in block.head[: room.head] for line in _head(text, parts.width, room)]
    if block.problem:
        above += paragraph("", block.problem, parts.width, 3 if room.has_gaps else 2)
    above += gap * bool(block.rows or block.control)
    below = []
    for heading, text in block.answer:
        below += paragraph(heading.ljust(_ANSWER), text, parts.width, 2 if room.has_gaps else 1)
    if block.confidence:
        below += _sentences("Confidence:", block.confidence, parts.width, room.confidence)
    return above, (gap + below if below else [])


def _sentences(heading: str, sentences: Sequence[str], width: int, most: int) -> list[str]:
    """Return as many sentences as fit on so many lines, but at least the first."""
    for number in range(len(sentences), 0, -1):
        text = " ".join(map(_capital, sentences[:number]))
        lines = paragraph(heading.ljust(_ANSWER), text, width, LINES)
        if len(lines) <= most:
            return lines
    return paragraph(heading.ljust(_ANSWER), _capital(sentences[0]), width, most)


def _head(text: str, width: int, room: _Room) -> list[str]:
    """Return a line above a table: the name before its colon is shortened first."""
    name, colon, rest = text.partition(": ")
    if colon and cell_len(text) > width:
        name = fitted(name, max(_NARROWEST, width - cell_len(f": {rest}")))
    return paragraph("", f"{name}{colon}{rest}", width, 2 if room.has_gaps else 1)


def _after(parts: _Screen, room: _Room) -> list[str]:
    """Return the warnings and the commands."""
    shown = parts.warnings[: min(room.warnings, _WARNINGS)]
    others = len(parts.warnings) - len(shown) + parts.notes
    lines = []
    for number, warning in enumerate(shown):
        more = f" {_left(others, parts.notes)}: --details." if others and number == len(shown) - 1 else ""
        text = _warning(_capital(warning), more, parts.width - _ANSWER, room.warning_lines)
        heading = ("Warning:" if number == 0 else "").ljust(_ANSWER)
        lines += [f"{' ' * _ANSWER if at else heading}{line}" for at, line in enumerate(text)]
    used = 0
    for number, command in enumerate(parts.commands):
        heading = ("Next:" if number == 0 else "").ljust(_ANSWER)
        written = command_lines(command, heading, parts.width)
        if number and used + len(written) > room.commands:
            continue
        used += len(written)
        lines += written
    return lines


def _left(others: int, notes: int) -> str:
    """Return how many warnings and notes are not shown."""
    if others == notes:
        return plural(notes, "note")
    return plural(others, "more warning or note" if notes else "more warning")


def _warning(warning: str, more: str, width: int, most: int) -> list[str]:
    """Return the lines of a warning and of how many more there are: as many whole sentences as fit."""
    short = _EXAMPLE.sub("", warning)  # what is counted is enough
    sentences = re.split(r"(?<=[.)]) (?=[A-Z])", short)
    shorter = [" ".join(sentences[:number]) for number in range(len(sentences) - 1, 0, -1)]
    for text in (warning, short, *shorter):
        whole = f"{text}{'' if text.endswith('.') else '.'}{more}" if more else text
        lines = paragraph("", whole, width, LINES)
        if len(lines) <= most:
            return lines
    lines = paragraph("", sentences[0], width, most)
    cut = shorten_end(lines[-1].removesuffix("." if more else ""), width - cell_len(more))
    at_word = cut.rpartition(" ")[0].rstrip(",;:") if cut.endswith("…") else ""
    lines[-1] = f"{f'{at_word} …' if at_word else cut}{more}"
    return lines


def _table(block: Block, parts: _Screen, most: int) -> list[str]:
    """Return the table of a block on at most so many lines: header, rows, what is hidden, the control."""
    if not (block.rows or block.control) or most < 2:
        return []
    control = block.control if most >= 5 or not block.rows else None
    room = min(MOST_ROWS, most - 1 - (control is not None))
    if len(block.rows) > room:
        room = min(MOST_ROWS, max(1, most - 2 - (control is not None)))
    rows = _chosen(block.rows, room)
    hidden = len(block.rows) - len(rows)
    shown = [*rows, *([control] if control else [])]
    keep = len(block.titles)
    widths = [
        max(cell_len(text) for text in column)
        for column in zip(block.titles, *(row.cells for row in shown), strict=True)
    ]
    while keep > 1 and parts.width - sum(widths[:keep]) - 2 * keep < _NARROWEST:
        keep -= 1
    space = parts.width - sum(widths[:keep]) - 2 * keep
    random = _RANDOM[cell_len(_RANDOM[0]) > space]
    labels = [random if row is control else parts.names[row.model] for row in shown]
    room_of_name = min(space, max(map(cell_len, [*labels, "Model"])))
    table = [("Model", *block.titles[:keep])]
    table += [
        (fitted(label, room_of_name), *row.cells[:keep]) for label, row in zip(labels, shown, strict=True)
    ]
    lines = columns(table, [room_of_name, *widths[:keep]])
    if hidden and most > len(lines):
        lines.insert(len(lines) - (control is not None), f"... {hidden:,} more (--details)")
    return lines


def _chosen(rows: Sequence[Row], room: int) -> list[Row]:
    """Return the first rows that fit, those that are needed always among them."""
    needed = [row for row in rows if row.is_needed]
    others = [row for row in rows if not row.is_needed][: max(0, room - len(needed))]
    chosen = {row.model for row in (*needed[: max(room, 1)], *others)}
    return [row for row in rows if row.model in chosen]


def _capital(sentence: str) -> str:
    first, _, _ = sentence.partition(" ")
    return (
        sentence if ":" in first[:-1] else sentence[:1].upper() + sentence[1:]
    )  # addresses stay as they are
