"""The most memory that the process, and an accelerator, held while something ran."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.environment.allocation import give_back_freed_memory

_RESET = "5"  # what clears the peak of a process on Linux (proc(5), clear_refs)


@dataclass
class Memory:
    """Filled in when the block that was measured ends; None where the system does not report it."""

    peak_bytes: int | None = None
    device_bytes: int | None = None


@contextmanager
def measured_memory(device: str) -> Iterator[Memory]:
    """Measure a block: the peak of the whole process, and what torch took of an accelerator."""
    memory = Memory()
    give_back_freed_memory()  # what earlier work has left would count as held
    can_reset = _reset()
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)
    yield memory
    if can_reset:
        memory.peak_bytes = _peak()
    if device.startswith("cuda"):
        memory.device_bytes = int(torch.cuda.max_memory_allocated(device))


def _reset() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text(_RESET, "ascii")
    except OSError:  # another system, or a process that may not
        return False
    return True


def _peak() -> int | None:
    try:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    except OSError:
        return None
    return int(peak[1]) * 1024 if peak else None
