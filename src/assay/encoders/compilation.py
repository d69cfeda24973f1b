"""A forward pass compiled by torch, used only where it was measured to be faster."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast, final

import torch

Run = TypeVar("Run", bound=Callable[..., Any])

_WORTH = 0.95  # a compiled pass that takes a larger share of the plain one's time is not used
_RUNS = 3  # of each kind, of which the fastest counts

logger = logging.getLogger(__name__)


@final
class Compilation(Generic[Run]):
    """The forward pass of an opened model, plain until ``settle`` has measured the compiled one.

    Args:
        plain: The forward pass.
        clock: Returns the time in seconds.

    Attributes:
        run: The forward pass to use now.
        note: Why it is not the compiled one; else empty.
    """

    def __init__(self, plain: Run, clock: Callable[[], float] = time.perf_counter) -> None:
        self.run = self._plain = plain
        self.note = ""
        self._clock = clock
        self._is_settled = False

    def settle(self, encode: Callable[[], object]) -> None:
        """Compile, and keep the faster forward pass; once for a model.

        Args:
            encode: Encodes the first examples of a task with ``run``.
        """
        if self._is_settled:
            return
        self._is_settled = True
        encode()
        plain = self._least(encode)
        try:
            self.run = cast("Run", torch.compile(self._plain, dynamic=True))
            encode()  # compiles
            share = self._least(encode) / max(plain, 1e-9)
        except Exception as error:  # such as no compiler, or a module that torch cannot trace
            logger.info("cannot compile", exc_info=True)
            self._leave(f"it failed ({type(error).__name__})")
        else:
            if share > _WORTH:
                self._leave(f"on the first examples a compiled forward pass takes {share:.2f} of the time")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Use the plain forward pass inside."""
        run, self.run = self.run, self._plain
        try:
            yield
        finally:
            self.run = run

    def _leave(self, why: str) -> None:
        self.run, self.note = self._plain, f"torch.compile is off: {why}"

    def _least(self, encode: Callable[[], object]) -> float:
        return min(self._seconds(encode) for _ in range(_RUNS))

    def _seconds(self, encode: Callable[[], object]) -> float:
        start = self._clock()
        encode()
        return self._clock() - start
