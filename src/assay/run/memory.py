"""Measures the peak memory of the process and of an accelerator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.environment.allocation import give_back_freed_memory

_RESET = "5"  # resets the peak memory of a process on Linux (proc(5), clear_refs)


@dataclass
class Memory:
    """Peak memory, filled in when the measured block ends; None if the system does not report it."""

    peak_bytes: int | None = None
    device_bytes: int | None = None


@contextmanager
def measured_memory(device: str) -> Iterator[Memory]:
    """Measure a block: peak memory of the process, and peak torch allocation on the accelerator."""
    memory = Memory()
    give_back_freed_memory()  # freed memory of earlier work would be counted otherwise
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
    except OSError:  # another operating system, or no permission
        return False
    return True


def _peak() -> int | None:
    try:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    except OSError:
        return None
    return int(peak[1]) * 1024 if peak else None
