"""Escapes names of files and folders, so that every terminal, file and database can hold them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SHOWN = 3  # names in a note
_LONGEST = 120


def shown_name(name: str) -> str:
    r"""Return a name in which bytes that are no UTF-8, and control characters, are escaped; composed (NFC).

    >>> shown_name("caf\udce9"), shown_name("two\nlines")
    ('caf\\xe9', 'two\\x0alines')
    """
    composed = unicodedata.normalize("NFC", name)
    return "".join(
        _escaped(sign) if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in composed
    )


def first_names(names: Iterable[str], count: int) -> str:
    """Return the first of ``count`` names for a note, each shortened in the middle if it is very long.

    >>> first_names(["a", "b", "c", "d"], 4)
    "'a', 'b', 'c', ..."
    """
    shown = [f"'{_short(shown_name(name))}'" for name, _ in zip(names, range(SHOWN), strict=False)]
    return ", ".join([*shown, *(["..."] if count > SHOWN else [])])


def _short(name: str) -> str:
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}...{name[-half:]}"


def _escaped(sign: str) -> str:
    code = ord(sign)
    byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code  # how Python keeps such bytes
    return f"\\x{byte:02x}" if byte < 0x100 else f"\\u{byte:04x}"
