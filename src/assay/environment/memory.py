"""The memory of this process and of the machine, and the release of freed memory."""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

from assay.environment.allocation import give_back_freed_memory

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def free_unused_memory() -> None:
    """Collect garbage, and release free memory to the system and to other users of the accelerator."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    give_back_freed_memory()


def held_bytes() -> int:
    """Return the resident memory of this process without files that it maps; 0 if it is unknown."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:  # another operating system
        return 0
    return sum(int(kilobytes) * 1024 for kilobytes in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", status))


def bytes_on(device: str) -> int:
    """Return the memory of a CUDA device, or of the machine; 0 if it is unknown."""
    if not device.startswith("cuda"):
        return machine_bytes()
    import torch

    return int(torch.cuda.mem_get_info(device)[1])


def bytes_on_gpus() -> int:
    """Return the memory of all CUDA devices together."""
    import torch

    return sum(bytes_on(f"cuda:{number}") for number in range(torch.cuda.device_count()))


def machine_bytes() -> int:
    """Return the memory of the machine, or of the container that limits it; 0 if it is unknown."""
    sizes = []
    with suppress(OSError, ValueError, AttributeError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # "max" is no limit
            sizes.append(int(Path(path).read_text("ascii")))
    return min(sizes, default=0)
