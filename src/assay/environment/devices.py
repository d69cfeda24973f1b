"""Which device models run on."""

from __future__ import annotations

import importlib.util

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
