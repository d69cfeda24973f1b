"""The machine that runs models: its processor or accelerator, and how busy it is."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path


def core_count() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def machine_name(device: str) -> str:
    """Return the hardware of a device: the processor, its number of cores, and the accelerator.

    The name of the host and of the user are not part of it.

    >>> machine_name("cpu").rpartition(", ")[2].endswith(("core", "cores"))
    True
    """
    cores = core_count()
    name = f"{_processor()}, {cores} core{'' if cores == 1 else 's'}"
    if device.startswith("cuda"):
        import torch

        return f"{name}, {torch.cuda.get_device_name(device)}"
    return name if device == "cpu" else f"{name}, {device}"


def cores_of(machine: str | None) -> int | None:
    """Return the number of cores in the name of a machine; None if it says nothing about them.

    >>> cores_of("AMD EPYC 7B13, 16 cores, NVIDIA H200"), cores_of(None)
    (16, None)
    """
    cores = re.search(r", (\d+) cores?(?:,|$)", machine or "")
    return int(cores[1]) if cores else None


def load_average() -> float | None:
    """Return the mean number of running or waiting processes in the last minute; None if it is unknown."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none
        return None


def _processor() -> str:
    with suppress(OSError):
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
        if model:
            return model[1].strip()
    with suppress(OSError, subprocess.SubprocessError):
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]  # macOS
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
        if done.stdout.strip():
            return done.stdout.strip()
    return platform.processor() or platform.machine() or "unknown processor"
