"""Opens every model of the zoos with random weights and writes which can be compared: docs/coverage.md.

    nice -n 19 python benchmarks/coverage.py              # again to continue: hours, small models first
    python benchmarks/coverage.py --only keras            # one zoo
    python benchmarks/coverage.py --only timm --retry     # again what did not pass
    python benchmarks/coverage.py --write-only            # the page of what was found so far

Every architecture opens through its source, at the smallest of a few input sizes that it takes, and encodes
three pictures (or texts) together and one by one. Names that differ in their weights alone share one
architecture, which is opened once; of those only the preprocessing is read. Models too large to be held
beside other work are computed on torch's meta device, without memory: their shapes are known, no more.

A process of its own looks at twenty models, in at most 8 GB; what ends it ends one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from coverage_page import FOLDER, KEPT, SHAPES, Found, good, page, read
from coverage_zoos import ZOOS

MEMORY = 8 * 2**30  # bytes for one process
SECONDS = 900  # for one model: other work may have the processor for most of it
CHUNK = 20  # models for one process
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--only", choices=list(ZOOS), help="one zoo")
    options.add_argument("--names", nargs="+", help="these models of it")
    options.add_argument("--retry", action="store_true", help="open again what did not pass")
    options.add_argument("--write-only", action="store_true", help="open nothing")
    options.add_argument("--large", type=float, default=100e6, help="weights above which shapes must do")
    options.add_argument("--look", action="store_true", help="in this process (what the chunks are run with)")
    chosen = options.parse_args()
    if chosen.look:
        look_at(chosen.only, chosen.names, chosen.large)
        return
    for zoo in [] if chosen.write_only else [chosen.only] if chosen.only else list(ZOOS):
        left = [name for name in ZOOS[zoo].names() if _is_left(read(zoo).get(name), chosen)]
        run(zoo, chosen.names or left, chosen.large)
    (FOLDER / "docs" / "coverage.md").write_text(
        page({zoo: read(zoo) for zoo in ZOOS}, {zoo: len(list(ZOOS[zoo].names())) for zoo in ZOOS}), "utf-8"
    )
    print("Wrote docs/coverage.md")


def run(zoo: str, left: list[str], large: float) -> None:
    """Look at models of a zoo in processes of their own."""
    while left:
        chunk = left[:CHUNK]
        before = len(_lines(zoo))
        ended = subprocess.run(
            [sys.executable, __file__, "--look", "--only", zoo, "--large", str(large), "--names", *chunk],
            env=os.environ | THREADS,
            check=False,
        )
        fresh = {json.loads(line)["name"] for line in _lines(zoo)[before:]}
        looked = sum(name in fresh for name in chunk)
        if looked < len(chunk):
            why = f"its process ended with {ended.returncode}, as where memory does not suffice"
            keep(Found(zoo, chunk[looked], 1, opened=False, how=why))
            looked += 1
        left = left[looked:]


def look_at(zoo: str, names: list[str], large: float) -> None:
    """Look at models in this process, and keep what was found, one line each."""
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    for name in names:
        keep(looked_at(zoo, name, large))


def looked_at(zoo: str, name: str, large: float) -> Found:
    start = time.perf_counter()
    try:
        with at_most(SECONDS):
            found = ZOOS[zoo].look(name, large)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        found = Found(zoo, name, ZOOS[zoo].sharing(name), opened=False, how=text[:300])
    return Found(**asdict(found) | {"seconds": round(time.perf_counter() - start, 1)})


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def keep(found: Found) -> None:
    KEPT.mkdir(exist_ok=True)
    with (KEPT / f"{found.zoo}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(found)) + "\n")
    print(found.zoo, found.name, "ok" if good(found) else f"NOT: {found.how}", flush=True)


def _is_left(found: Found | None, chosen: argparse.Namespace) -> bool:
    if found is None or (chosen.retry and not good(found)):
        return True
    return found.how == SHAPES and found.parameters <= chosen.large


def _lines(zoo: str) -> list[str]:
    path: Path = KEPT / f"{zoo}.jsonl"
    return path.read_text("utf-8").splitlines() if path.is_file() else []


if __name__ == "__main__":
    main()
