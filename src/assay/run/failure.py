"""Describes in one line why something failed, whatever was raised."""

from __future__ import annotations

from assay.core.errors import AssayError, StoreError

_LIMIT = 600  # characters
_SHOWN = 3  # errors of a group


def reason_of(error: BaseException) -> str:
    r"""Return a reason that can be stored and shown: never empty, without control characters, and short.

    >>> reason_of(ValueError("bad weights\x1b[2J"))
    'ValueError: bad weights\\x1b[2J'
    >>> reason_of(ExceptionGroup("two layers failed", [KeyError("a"), ValueError("b")]))
    "ExceptionGroup: two layers failed (KeyError: 'a'; ValueError: b)"
    """
    return shortened(_described(error, depth=2))


def raise_if_interrupted(error: BaseException) -> None:
    """Raise ``KeyboardInterrupt`` if the error is Ctrl-C, alone or among the errors of a group."""
    if isinstance(error, KeyboardInterrupt):
        raise error
    if isinstance(error, BaseExceptionGroup) and error.subgroup(KeyboardInterrupt) is not None:
        raise KeyboardInterrupt from error


def is_of_store(error: BaseException) -> bool:
    """Return whether our store raised an error, and not the code of a model or method."""
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    name = "" if innermost is None else str(innermost.tb_frame.f_globals.get("__name__"))
    return isinstance(error, StoreError) and name.startswith("assay.store.")


def plain_text(value: object) -> str:
    r"""Return a string of the type str that can be stored and shown; other values as text.

    >>> plain_text("caf\udce9 \x00")
    'caf\\udce9 \\x00'
    """
    try:
        text = value if isinstance(value, str) else str(value)
        start = str.__getitem__(text, slice(0, 100 * _LIMIT))  # a type of its own may override anything
    except Exception:
        return f"({type(value).__name__} without a readable text)"
    if start.isprintable():
        return start
    readable = start.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(
        letter if letter.isprintable() or letter == "\n" else _escaped(letter) for letter in readable
    )


def shortened(reason: str) -> str:
    """Return at most a few lines of a reason."""
    return reason if len(reason) <= _LIMIT else f"{reason[:_LIMIT]} ..."


def _described(error: BaseException, depth: int) -> str:
    name = plain_text(type(error).__name__)
    if isinstance(error, BaseExceptionGroup):
        each = [_described(one, depth - 1) if depth else "..." for one in error.exceptions[:_SHOWN]]
        more = len(error.exceptions) - len(each)
        inner = "; ".join(each) + (f"; and {more} more" if more else "")
        return f"{name}: {shortened(plain_text(error.message))} ({inner})"
    try:
        text = plain_text(str(error)).strip() or "no message"
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"{name}: its message cannot be read"
    is_ours = isinstance(error, AssayError) and not isinstance(error, StoreError)
    return text if is_ours else f"{name}: {text}"


def _escaped(letter: str) -> str:
    if letter.isprintable() or letter == "\n":
        return letter
    return letter.encode("unicode_escape").decode("ascii")
