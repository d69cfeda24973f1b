"""Parts of sentences: counts with nouns, lists of names, and the first line of an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def plural(number: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "model"), plural(1200, "example"), plural(2, "class")
    ('1 model', '1,200 examples', '2 classes')
    """
    end = "" if number == 1 else "es" if noun.endswith("ss") else "s"
    return f"{number:,} {noun}{end}"


def listing(names: Iterable[str]) -> str:
    """Return names as a list in a sentence.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def few(names: Sequence[str], most: int) -> str:
    """Return at most ``most`` names, and the number of further ones.

    >>> few(["a", "b", "c", "d"], 2)
    'a, b and 2 more'
    """
    return listing(names if len(names) <= most else [*names[:most], f"{len(names) - most} more"])


def first_line(error: BaseException) -> str:
    r"""Return the first line of the message of an error, without a full stop; its type if it has no message.

    >>> first_line(ValueError("not found.\nSee the manual.")), first_line(KeyboardInterrupt())
    ('not found', 'KeyboardInterrupt')
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".:")
