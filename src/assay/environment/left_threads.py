"""Threads that a model's code leaves running: they must not keep the process from ending.

At exit Python waits for every thread that is not a daemon, and a running thread cannot become one. The list
of these threads is private and differs between versions; if it is not found, Python waits.
"""

from __future__ import annotations

import threading
from concurrent.futures import thread as executors
from typing import Any


def waited_for() -> frozenset[threading.Thread]:
    """Return the threads for which the end of the process waits."""
    main = threading.main_thread()
    return frozenset(thread for thread in threading.enumerate() if not thread.daemon and thread is not main)


def wait_only_for(wanted: frozenset[threading.Thread]) -> None:
    """Let the process exit although threads other than ``wanted`` are running."""
    for thread in waited_for() - wanted:
        held: Any = thread
        vars(executors).get("_threads_queues", {}).pop(held, None)
        vars(threading).get("_shutdown_locks", set()).discard(getattr(held, "_tstate_lock", None))  # 3.12
        handle: Any = getattr(held, "_handle", None)  # from Python 3.13 on
        if handle is not None and hasattr(handle, "_set_done"):
            handle._set_done()
