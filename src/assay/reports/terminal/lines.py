"""Plain lines of a given width: wrapped, shortened, in columns; and commands to paste into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells

from assay.core.escaping import quoted
from assay.wording.names import shorten

_INDENT = "    "  # of a part of a command that is too wide under its beginning


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken at spaces; a word longer than a line is broken anywhere.

    >>> wrapped("one two three", 8)
    ['one two', 'three']
    """
    lines: list[str] = []
    for word in text.split():
        for piece in chop_cells(word, width):
            if lines and cell_len(f"{lines[-1]} {piece}") <= width:
                lines[-1] = f"{lines[-1]} {piece}"
            else:
                lines.append(piece)
    return lines


def paragraph(heading: str, text: str, width: int, most: int) -> list[str]:
    """Return a text after a heading, with an indent of its width, on at most so many lines.

    >>> paragraph("Note: ", "one two three", 14, 1)
    ['Note: one two…']
    """
    indent = cell_len(heading)
    lines = wrapped(text, width - indent)
    if len(lines) > most:
        last = shorten_end(f"{lines[most - 1]} {lines[most]}", width - indent)
        lines = [*lines[: most - 1], last]
    return [f"{heading if number == 0 else ' ' * indent}{line}".rstrip() for number, line in enumerate(lines)]


def shorten_end(text: str, width: int) -> str:
    """Return the beginning of a text that fits, with an ellipsis if it is not whole."""
    if cell_len(text) <= width:
        return text
    return f"{chop_cells(text, width - 1)[0].rstrip(' .,;')}…"


def fitted(name: str, width: int) -> str:
    """Return a name without its middle if it is wider."""
    return shorten([name], width)[name]


def columns(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """Return lines of cells: the first is left-aligned, the others right-aligned, two spaces between them."""
    lines = []
    for cells in rows:
        padded = [
            cell + " " * (width - cell_len(cell)) if number == 0 else " " * (width - cell_len(cell)) + cell
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def command_lines(words: Sequence[str], heading: str, width: int) -> list[str]:
    r"""Return a command, quoted for the shell, with a backslash where it goes on in the next line.

    >>> command_lines(["assay", "compare", "timm:a(k=1)"], "Next: ", 24)
    ['Next: assay compare \\', "      'timm:a(k=1)'"]
    """
    indent = " " * cell_len(heading)
    lines = [f"{heading}{words[0]}"]
    for unit in _units(words[1:], width - len(indent) - 2):
        if cell_len(f"{lines[-1]} {unit} \\") <= width:
            lines[-1] += f" {unit}"
        elif cell_len(f"{indent}{unit} \\") <= width:
            lines[-1] += " \\"
            lines.append(f"{indent}{unit}")
        elif cell_len(f"{_INDENT}{unit} \\") <= width:
            lines[-1] += " \\"
            lines.append(f"{_INDENT}{unit}")
        elif unit.startswith("$'"):
            lines[-1] += " \\"
            lines.append(unit)  # however wide: its escapes must stay whole
        else:
            pieces = [shlex.quote(piece) for piece in chop_cells(shlex.split(unit)[0], width - 12)]
            lines[-1] += " \\"
            lines += [f"{piece}\\" for piece in pieces[:-1]]  # no space around: the word goes on
            lines.append(pieces[-1])
    return lines


def _units(words: Sequence[str], width: int) -> list[str]:
    """Return quoted words, an option together with its value if both fit on a line."""
    units: list[str] = []
    is_option = False
    for word in words:
        unit = quoted(word)
        if is_option and cell_len(f"{units[-1]} {unit}") <= width:
            units[-1] += f" {unit}"
        else:
            units.append(unit)
        is_option = word.startswith("--") and not is_option
    return units
