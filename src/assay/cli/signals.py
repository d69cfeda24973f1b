"""Signal handling: the first Ctrl-C, TERM or HUP shuts down cleanly, the second immediately."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_BY_DEFAULT = (signal.SIG_DFL, signal.default_int_handler)
_FIRST_OF_SIGNAL = 128  # of exit codes, as shells count


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` for each signal that ends a process, and exit with its code.

    So what a run has open is closed: its processes end, and half-written files are removed. The second
    signal ends the process at once, as the system does. What was told to be ignored (nohup) stays so.
    """
    received: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        received.append(number)
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler in _BY_DEFAULT}
    if threading.current_thread() is not threading.main_thread():
        before = {}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    except BaseException as error:
        if received and not _has_ended_well(error, received[0]):
            _leave_closed_terminal()
            sys.exit(_FIRST_OF_SIGNAL + received[0])
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_ended_well(error: BaseException, number: int) -> bool:
    """Return whether a command that ends with Ctrl-C, such as one that watches, says that all is well."""
    return number == signal.SIGINT and isinstance(error, SystemExit) and not error.code


def _leave_closed_terminal() -> None:
    """Stop writing if the terminal is gone: otherwise the interpreter would change the exit code."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            setattr(sys, name, None)
