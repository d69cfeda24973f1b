"""The parts of a process's state that are saved and restored: how each is read and written."""

from __future__ import annotations

import gc
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from assay.environment.left_threads import wait_only_for, waited_for
from assay.environment.library_settings import LIBRARY_PARTS


class StatePart(NamedTuple):
    """One part of the state of the process.

    Attributes:
        read: Returns its value, comparable by ``==``.
        write: Sets it to a value that was read.
    """

    read: Callable[[], Any]
    write: Callable[[Any], object]


def _set_environment(wanted: dict[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


def _set_path(wanted: tuple[list[str], tuple[str, ...]]) -> None:
    sys.path = wanted[0]
    sys.path[:] = wanted[1]


def _attributes(*named: tuple[Any, str]) -> StatePart:
    """Return the part of some attributes of modules, compared by identity."""

    def write(values: _Same) -> None:
        for (holder, name), value in zip(named, values.values, strict=True):
            setattr(holder, name, value)

    return StatePart(lambda: _Same([getattr(holder, name) for holder, name in named]), write)


class _Same:
    """Objects that are compared by identity: their own comparison may be anything."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and list(map(id, self.values)) == list(map(id, other.values))

    __hash__ = None  # type: ignore[assignment]  # it is only compared


def _set_warnings(filters: list[Any]) -> None:
    warnings.resetwarnings()  # marks the cache of earlier warnings as outdated
    warnings.filters.extend(filters)  # type: ignore[attr-defined]  # a list, contrary to typeshed


def _logging() -> tuple[int, int, list[logging.Handler]]:
    root = logging.getLogger()
    return root.manager.disable, root.level, list(root.handlers)


def _set_logging(wanted: tuple[int, int, list[logging.Handler]]) -> None:
    root = logging.getLogger()
    logging.disable(wanted[0])
    root.setLevel(wanted[1])
    root.handlers[:] = wanted[2]


def _numpy_random() -> tuple[Any, ...]:
    name, key, *rest = np.random.get_state()  # noqa: NPY002  # models use it even though we do not
    return name, np.asarray(key).tobytes(), *rest


def _set_numpy_random(wanted: tuple[Any, ...]) -> None:
    name, key, *rest = wanted
    np.random.set_state((name, np.frombuffer(key, np.uint32), *rest))  # noqa: NPY002  # as above


def _set_collection(wanted: tuple[bool, tuple[int, int, int]]) -> None:
    (gc.enable if wanted[0] else gc.disable)()
    gc.set_threshold(*wanted[1])


SETTINGS = (
    StatePart(lambda: dict(os.environ), _set_environment),
    StatePart(lambda: (sys.path, tuple(sys.path)), _set_path),
    StatePart(lambda: list(warnings.filters), _set_warnings),
    StatePart(_logging, _set_logging),
    StatePart(np.geterr, lambda wanted: np.seterr(**wanted)),
    StatePart(random.getstate, random.setstate),
    StatePart(_numpy_random, _set_numpy_random),
    StatePart(lambda: locale.setlocale(locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)),
    *(StatePart(*part) for part in LIBRARY_PARTS),
)


def _affinity() -> set[int]:
    return os.sched_getaffinity(0)


def _set_affinity(wanted: set[int]) -> None:
    os.sched_setaffinity(0, wanted)


def _set_mask(wanted: set[signal.Signals]) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, wanted)


def resource_limits() -> dict[int, tuple[int, int]]:
    """Return the soft and hard limit of each resource of the process, such as the size of files."""
    import resource

    names = [name for name in vars(resource) if name.startswith("RLIMIT_")]
    return {kind: resource.getrlimit(kind) for kind in {getattr(resource, name) for name in names}}


def _set_limits(wanted: dict[int, tuple[int, int]]) -> None:
    import resource

    for kind, (soft, hard) in wanted.items():
        most = resource.getrlimit(kind)[1]
        for limits in ((soft, hard), (soft, most), (most, most)):  # only root can raise a hard limit
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, limits)
                break


def _handlers() -> _Same:
    return _Same([signal.getsignal(kind) for kind in _SIGNALS])


def _set_handlers(wanted: _Same) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for kind, handler in zip(_SIGNALS, wanted.values, strict=True):
        if handler is not None and signal.getsignal(kind) is not handler:
            with suppress(OSError, ValueError):
                signal.signal(kind, handler)


def _modules() -> tuple[tuple[str, ...], _Same]:
    return tuple(sys.modules), _Same(list(sys.modules.values()))


def _set_modules(wanted: tuple[tuple[str, ...], _Same]) -> None:
    """Restore modules that were removed or replaced; modules imported since stay.

    Parts of a package whose import failed or was interrupted do not: Python removes the package alone, and
    when it is imported again, it lacks the parts that seem to be imported already.
    """
    for name, module in zip(wanted[0], wanted[1].values, strict=True):
        if name not in sys.modules or sys.modules[name] is not module:
            sys.modules[name] = module
    for name in sorted(sys.modules.keys() - set(wanted[0])):  # a package comes before its parts
        if "." in name and name.rpartition(".")[0] not in sys.modules:
            del sys.modules[name]


def _finders() -> tuple[_Same, _Same]:
    return _Same(list(sys.meta_path)), _Same(list(sys.path_hooks))


def _set_finders(wanted: tuple[_Same, _Same]) -> None:
    """Restore the finders of modules; finders added since stay, because libraries need them."""
    _extend(sys.meta_path, wanted[0].values)
    _extend(sys.path_hooks, wanted[1].values)


def _extend(finders: list[Any], wanted: list[Any]) -> None:
    finders.extend([one for one in wanted if not any(one is other for other in finders)])


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _has_alarm() -> bool:
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _stop_alarm(wanted: bool) -> None:  # a value that was read
    if not wanted:
        signal.setitimer(signal.ITIMER_REAL, 0)


_SIGNALS = tuple(
    getattr(signal, name)
    for name in (
        "SIGINT",
        "SIGTERM",
        "SIGHUP",
        "SIGALRM",
        "SIGCHLD",
        "SIGPIPE",
        "SIGUSR1",
        "SIGUSR2",
        "SIGXFSZ",
    )
    if hasattr(signal, name)
)
GUARDS = (  # a model does not get these back
    StatePart(_modules, _set_modules),
    StatePart(_finders, _set_finders),
    StatePart(resource_limits, _set_limits),
    StatePart(_umask, os.umask),
    StatePart(os.getcwd, os.chdir),
    StatePart(_handlers, _set_handlers),
    StatePart(
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        _set_mask,
    ),
    StatePart(_has_alarm, _stop_alarm),
    StatePart(waited_for, wait_only_for),
    StatePart(_affinity, _set_affinity),
    StatePart(sys.getrecursionlimit, sys.setrecursionlimit),
    StatePart(lambda: (gc.isenabled(), gc.get_threshold()), _set_collection),
    StatePart(sys.gettrace, sys.settrace),
    StatePart(sys.getprofile, sys.setprofile),
    _attributes(
        (sys, "excepthook"), (sys, "unraisablehook"), (sys, "displayhook"), (threading, "excepthook"),
        (warnings, "showwarning"),
    ),
)  # fmt: skip
