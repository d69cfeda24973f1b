"""Describes the cause of any failure in one line, and says when the job runs again."""

from __future__ import annotations

from assay.core.errors import AssayError, MissingPackage, StoreError, Unavailable
from assay.core.result import Cause
from assay.encoders.batches import is_out_of_memory
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.settings import all_settings

_LIMIT = 600  # characters
_SHOWN = 3  # errors of a group
_OF_THE_ENVIRONMENT = (Unavailable, MissingPackage, ImportError, OSError)


def reason_of(error: BaseException) -> str:
    r"""Return a reason that can be stored and shown: never empty, without control characters, and short.

    >>> reason_of(ValueError("bad weights\x1b[2J"))
    'ValueError: bad weights\\x1b[2J'
    >>> reason_of(ExceptionGroup("two layers failed", [KeyError("a"), ValueError("b")]))
    "ExceptionGroup: two layers failed (KeyError: 'a'; ValueError: b)"
    """
    return shortened(_described(error, depth=2))


def cause_of(error: BaseException) -> Cause:
    """Return whether an error, or what caused it, is of the environment or of the model.

    >>> cause_of(ModuleNotFoundError("No module named 'einops'")), cause_of(ValueError("bad weights"))
    (<Cause.ENVIRONMENT: 'environment'>, <Cause.MODEL: 'model'>)
    """
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or any(one is other for other in seen):
            continue
        of_environment = isinstance(one, _OF_THE_ENVIRONMENT) and not _is_undecodable(one)
        if of_environment or (isinstance(one, Exception) and is_out_of_memory(one)):
            return Cause.ENVIRONMENT
        seen.append(one)
        left += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return Cause.MODEL


def _is_undecodable(error: BaseException) -> bool:
    """Return whether Pillow could not decode an image: an ``OSError`` that no system call raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = "" if frame is None else frame.tb_frame.f_globals.get("__name__", "")
    return isinstance(error, OSError) and error.errno is None and module.split(".")[0] == "PIL"


def time_limit_of(engine: str) -> float | None:
    """Return the seconds that an engine allows a job; None for no limit.

    >>> time_limit_of("isolated(time_limit=600)"), time_limit_of("local")
    (600, None)
    """
    limit = all_settings(families().engines.create(Address.parse(engine)).plugin).get("time_limit")
    return limit if isinstance(limit, (int, float)) else None


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
