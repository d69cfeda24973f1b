"""When a compiled forward pass is used; nothing is compiled here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from assay.core.errors import ModelError
from assay.encoders.compilation import Compilation


def settled(monkeypatch: pytest.MonkeyPatch, compiled: Callable[[int], int], seconds: list[float]) -> Any:
    """Return a settled compilation of a plain pass of 1 second, by a clock of these seconds for the other."""
    times: Iterator[float] = iter(
        np.cumsum([0, *[1, 0] * 3, *(each for one in seconds for each in (one, 0))])
    )
    monkeypatch.setattr(torch, "compile", lambda run, dynamic: compiled)
    compilation = Compilation(lambda number: number, clock=lambda: next(times))
    compilation.settle(lambda: compilation.run(1))
    return compilation


def test_a_compiled_pass_is_used_where_it_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    compilation = settled(monkeypatch, lambda number: -number, seconds=[0.9, 0.5, 0.9])

    assert (compilation.run(1), compilation.note) == (-1, "")
    with compilation.paused():
        assert compilation.run(1) == 1


def test_a_compiled_pass_that_does_not_pay_is_off_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    compilation = settled(monkeypatch, lambda number: -number, seconds=[1.2, 1.1, 1.3])

    assert compilation.run(1) == 1
    assert compilation.note.endswith("on the first examples a compiled forward pass takes 1.10 of the time")


def test_what_cannot_be_compiled_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(number: int) -> int:
        raise ModelError("no compiler")

    compilation = settled(monkeypatch, fail, seconds=[])

    assert (compilation.run(1), compilation.note) == (1, "torch.compile is off: it failed (ModelError)")
