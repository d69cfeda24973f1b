"""Whether this process exceeds the user's memory limit, and what ends it then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from assay.core.errors import Unavailable
from assay.environment.allocation import give_back_freed_memory
from assay.environment.memory import held_bytes

_SECONDS = 0.1  # between two checks; one takes about 30 microseconds
WHAT_HELPS = "use a smaller batch size or model, or allow more (--memory)"


def exceeds(most_bytes: float | None) -> bool:
    """Return whether this process exceeds the limit after freeing memory; mapped files do not count."""
    if most_bytes is None or held_bytes() <= most_bytes:
        return False
    give_back_freed_memory()
    return held_bytes() > most_bytes


def require_within(most_bytes: float | None) -> None:
    """Raise ``Unavailable`` if this process exceeds the limit."""
    if most_bytes is not None and exceeds(most_bytes):
        held, most = held_bytes() / 1e9, most_bytes / 1e9
        raise Unavailable(f"its process holds {held:.1f} GB, and may hold {most:.1f} GB: {WHAT_HELPS}")


@contextmanager
def watched(most_bytes: float | None, end: Callable[[], object]) -> Iterator[None]:
    """Call ``end`` from a thread as soon as this process exceeds the limit, also inside library calls."""
    if most_bytes is None:
        yield
        return
    is_over = Event()

    def watch() -> None:
        while not is_over.wait(_SECONDS):
            if exceeds(most_bytes):
                end()
                return

    thread = Thread(target=watch, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
