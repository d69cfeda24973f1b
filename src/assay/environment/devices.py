"""The device on which models run."""

from __future__ import annotations

import importlib.util
import os

from assay.core.errors import UsageError


def resolve_device(name: str) -> str:
    """Return the device that a user named; "auto" is the fastest that PyTorch finds, and else the CPU."""
    if name == "cpu" or (name == "auto" and importlib.util.find_spec("torch") is None):
        return "cpu"
    import torch

    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return "cpu" if accelerator is None else str(accelerator)
    try:
        torch.zeros(1, device=name)
    except (AssertionError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        fault = "there is no such kind" if reason.startswith("Expected one of") else reason
        raise UsageError(f"Device '{name}' cannot be used: {fault}. Write cpu, cuda, mps or auto.") from error
    return name


def half_precision(device: str) -> str | None:
    """Return the type of half precision in which a device is fast; None for a CPU."""
    if device == "cpu":
        return None
    if device.startswith("cuda"):
        import torch

        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return "bfloat16"


def devices_apart(device: str, number: int) -> dict[str, str]:
    """Return the environment variables that restrict a process to one of several GPUs.

    Args:
        device: What the process runs on; a device with a number is left as it is.
        number: The number of the process; processes with other numbers get other GPUs, as far as they go.
    """
    if device != "cuda":
        return {}
    import torch

    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(count)]
    return {"CUDA_VISIBLE_DEVICES": names[number % count].strip()} if count > 1 else {}
