"""The device on which models run."""

from __future__ import annotations

import pytest
import torch

from assay.core.errors import UsageError
from assay.environment.devices import devices_apart, resolve_device


def test_auto_is_a_device_that_works():
    assert torch.zeros(1, device=resolve_device("auto")).item() == 0


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpux"])
def test_a_device_that_is_not_there_says_what_to_write(name):
    with pytest.raises(UsageError, match=f"Device '{name}' cannot be used: .* Write cpu, cuda, mps or auto."):
        resolve_device(name)


def test_processes_get_a_gpu_each_in_turn(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    seen = [devices_apart("cuda", number)["CUDA_VISIBLE_DEVICES"] for number in range(3)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, GPU-7f")
    named = [devices_apart("cuda", number)["CUDA_VISIBLE_DEVICES"] for number in range(2)]

    assert seen == ["0", "1", "0"]
    assert named == ["4", "GPU-7f"]


@pytest.mark.parametrize(("device", "count"), [("cuda", 1), ("cuda:1", 2), ("cpu", 2), ("mps", 2)])
def test_one_gpu_and_a_device_with_a_number_are_left_as_they_are(monkeypatch, device, count):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    assert devices_apart(device, 1) == {}
