"""A plug-in: models that do to the process, or raise, what a model should not."""

from __future__ import annotations

import asyncio
import decimal
import gc
import locale
import logging
import os
import random
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.core.errors import StoreError
from assay.plugins import Encoded, Example, Modality, Model, ModelFacts, ModelSource

CHILDREN: list[int] = []  # processes that were forked


class Own(BaseException):
    """Is no Exception."""


class Unreadable(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class WithoutString(Exception):
    """Has something else for a text."""

    def __str__(self) -> str:
        return 5  # noqa: PLE0307  # it is meant

    __repr__ = __str__


class LeavesWithItsText(Exception):
    """Ends the program when its text is read."""

    def __str__(self) -> str:
        raise SystemExit(0)


def change_everything() -> None:
    """Change what lasts in the process."""
    os.chdir("/")
    os.environ.clear()
    os.umask(0o777)
    sys.path = []
    sys.setrecursionlimit(250)
    sys.excepthook = threading.excepthook = warnings.showwarning = lambda *_: None
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # it is meant
    np.seterr(all="raise")
    locale.setlocale(locale.LC_ALL, "C")
    warnings.simplefilter("error")
    logging.disable()
    gc.disable()
    decimal.getcontext().prec = 2
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.setitimer(signal.ITIMER_REAL, 30)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    if "torch" in sys.modules:
        import torch

        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.inference_mode().__enter__()
        torch.autocast("cpu").__enter__()
        torch.set_num_threads(1)
        torch.manual_seed(0)
        torch.use_deterministic_algorithms(True)
        torch.set_float32_matmul_precision("medium")
        torch.set_flush_denormal(True)


def close_streams() -> None:
    """Close and replace the standard streams, and the files behind them."""
    sys.stdout.close()
    sys.stderr = None
    for descriptor in (1, 2):
        try:
            os.close(descriptor)
        except OSError:
            continue


def fork() -> None:
    """Return twice, in two processes."""
    child = os.fork()
    if child:
        CHILDREN.append(child)


def limit_files() -> None:
    """Let no file grow."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def raising(error: BaseException) -> Callable[[], None]:
    """Return a function that raises an error."""

    def act() -> None:
        raise error

    return act


def recurse() -> None:
    """Call itself without end."""
    recurse()


def unload() -> None:
    """Make Python forget modules, and how it finds them."""
    for name in list(sys.modules):
        if name.partition(".")[0] in {"assay", "json", "PIL"}:
            del sys.modules[name]
    sys.meta_path.clear()
    sys.path_hooks.clear()


ACTS: dict[str, Callable[[], None]] = {
    "good": lambda: None,
    "changes": change_everything,
    "streams": close_streams,
    "forks": fork,
    "limits": limit_files,
    "moves": lambda: os.chdir("/"),
    "unloads": unload,
    "leaves": lambda: sys.exit(0),
    "generator": raising(GeneratorExit()),
    "stop": raising(StopIteration(3)),
    "own": raising(Own("mine")),
    "cancelled": raising(asyncio.CancelledError()),
    "unreadable": raising(Unreadable()),
    "wordless": raising(WithoutString()),
    "last_word": raising(LeavesWithItsText()),
    "huge": raising(ValueError("x" * 10_000_000)),
    "surrogates": raising(ValueError("caf\udce9 \x1b[2J\x00")),
    "group": raising(ExceptionGroup("two layers", [KeyError("a"), ExceptionGroup("b", [OSError("c")])])),
    "base_group": raising(BaseExceptionGroup("two", [Own("d"), SystemExit(1)])),
    "recursion": recurse,
    "store": raising(StoreError("mine")),
    "interrupted": raising(BaseExceptionGroup("two", [KeyboardInterrupt()])),
}


class Hostile(Model):
    """Encodes mean colours, after its act."""

    def __init__(self, source: HostileModels) -> None:
        self._source = source

    @property
    def facts(self) -> ModelFacts:
        self._source.act("facts")
        return ModelFacts(
            width=np.int64(3),  # as models of numpy say it
            parameters=np.int64(9),
            macs=None, bytes=36, input="3 x any x any", preprocessing="mean colour \udce9", source_classes=0,
            weights="none", fingerprint=f"hostile {self._source.name}",
        )  # fmt: skip

    def encode(self, examples: Sequence[Example]) -> Encoded:
        self._source.act("encode")
        return Encoded(
            np.float32([np.asarray(example).mean(axis=(0, 1)) / 255 for example in examples]), None
        )

    def close(self) -> None:
        self._source.act("close")


@dataclass(frozen=True, slots=True)
class HostileModels(ModelSource):
    """Models that are called as their acts, and act in one place."""

    where: str = "encode"

    def __post_init__(self) -> None:
        self.act("init")

    def act(self, where: str) -> None:
        """Do it, if this is the place."""
        if where == self.where:
            ACTS[self.name]()

    def check(self) -> None:
        self.act("check")

    def modality(self) -> Modality:
        self.act("modality")
        return Modality.IMAGE

    def identity(self) -> str:
        self.act("identity")
        return f"hostile {self.name} {self.where}"

    def open(self, device: str) -> Model:
        self.act("open")
        return Hostile(self)


PATH = Path(__file__)
