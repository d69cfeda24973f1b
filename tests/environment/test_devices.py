"""Which device models run on."""

from __future__ import annotations

import pytest
import torch

from assay.core.errors import UsageError
from assay.environment.devices import resolve_device


def test_auto_is_a_device_that_works():
    assert torch.zeros(1, device=resolve_device("auto")).item() == 0


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpux"])
def test_a_device_that_is_not_there_says_what_to_write(name):
    with pytest.raises(UsageError, match=f"Device '{name}' cannot be used: .* Write cpu, cuda, mps or auto."):
        resolve_device(name)
