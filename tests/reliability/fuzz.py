"""Feeds hostile input to every reader, and counts what ends neither in an answer nor in our own error.

``python -m tests.reliability.fuzz`` tries 20,000 inputs and prints the count; ``--seed`` and ``--inputs``
change that, and ``--only table`` one reader.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from assay.core.errors import AssayError

MOST_SECONDS = 10  # of the processor, for one input of a few hundred bytes; six times as many on the clock
_TIMERS, _SIGNALS = (signal.ITIMER_PROF, signal.ITIMER_REAL), (signal.SIGPROF, signal.SIGALRM)


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads input: its name, strategy, and a function that takes an input and an empty folder."""

    name: str
    inputs: st.SearchStrategy[Any]
    read: Callable[[Any, Path], object]
    weight: int = 4  # of its share of all inputs


@dataclass(slots=True)
class Count:
    """What became of the inputs of a reader; faults by their last line of our code, with an example."""

    tried: int = 0
    refused: int = 0
    faults: dict[str, tuple[int, object, str]] = field(default_factory=dict)

    @property
    def faulty(self) -> int:
        """The number of inputs that ended in an exception that is not ours."""
        return sum(times for times, _, _ in self.faults.values())


class _TooSlow(BaseException):
    pass


def tried(reader: Reader, inputs: int, with_seed: int) -> Count:
    """Feed so many inputs to a reader."""
    count = Count()

    @seed(with_seed)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.inputs)
    def feed(value: object) -> None:
        if count.tried < inputs:
            _feed(reader, value, count)

    feed()
    return count


def _feed(reader: Reader, value: object, count: Count) -> None:
    count.tried += 1
    folder = Path(tempfile.mkdtemp(prefix="assay-fuzz-"))
    try:
        with warnings.catch_warnings(), _limited():
            warnings.simplefilter("ignore")
            reader.read(value, folder)
    except AssayError as error:
        count.refused += 1
        if len(str(error).split()) < 3:
            _add(count, value, error)
    except (Exception, _TooSlow) as error:
        _add(count, value, error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add(count: Count, value: object, error: BaseException) -> None:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/assay/" in frame.filename]
    place = f"{frames[-1].filename.partition('/assay/')[2]}:{frames[-1].lineno}" if frames else "?"
    what = f"{type(error).__name__} at {place}"
    times, first, text = count.faults.get(what, (0, value, str(error)[:200]))
    count.faults[what] = (times + 1, first, text)


@contextmanager
def _limited() -> Iterator[None]:
    def stop(_: int, __: object) -> None:
        raise _TooSlow(f"more than {MOST_SECONDS} s")

    before = [signal.signal(number, stop) for number in _SIGNALS]
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 6 * MOST_SECONDS)
    try:
        yield
    finally:
        for timer, number, handler in zip(_TIMERS, _SIGNALS, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def main(arguments: Sequence[str]) -> int:
    """Try all readers, print a line for each and every fault; return 1 if there is any."""
    from tests.reliability.readers import READERS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many, over all readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the name of one reader")
    asked = parser.parse_args(arguments)
    readers = [reader for reader in READERS if asked.only in (None, reader.name)]
    counts = []
    whole = sum(reader.weight for reader in readers)
    for reader in readers:
        share = -(-asked.inputs * reader.weight // whole)
        start = time.perf_counter()
        count = tried(reader, share, asked.seed)
        counts.append(count)
        seconds = time.perf_counter() - start
        done = f"{count.tried:6} inputs, {count.refused:6} refused, {count.faulty:4} tracebacks"
        print(f"{reader.name:12} {done}, {seconds:5.1f} s")
        for what, (times, first, text) in sorted(count.faults.items()):
            print(f"    {times:4} x {what}: {text}\n           {first!r:.300}")
        sys.stdout.flush()
    faulty, total = sum(count.faulty for count in counts), sum(count.tried for count in counts)
    print(f"{faulty} of {total} inputs gave a traceback (seed {asked.seed})")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
