"""What scores cost: seconds and peak memory, against the bare Gram product and against peers, in one run.

    python benchmarks/scores.py                # three shapes, some ten minutes on two cores
    python benchmarks/scores.py 5000x1024x100  # one shape: examples x width x classes

Each row is measured in a process of its own, forked from one that holds the features: the time is that of a
fresh call on arrays, Moments included, the least of two runs; the memory is what it held at most beyond the
features. `x Gram` is the time over that of the bare product F'F, the least that a score of all examples can
cost; of scores that compare every example with every other, at most 5,000 of them, FF' is that. logistic_cv
is scikit-learn's own solver in single precision: about as fast as that.

The bare product is what the same user would compute with BLAS alone: from the same features in single
precision, block by block as Moments are summed, each converted to double precision and added by dsyrk, which
needs half the work of a general product. The product of a ready matrix in double precision is a row as well.
"Moments and all their scores" and the bare product take turns three times; their ratio is the median.

One core does all of it and its own time counts: where others use the machine too, threads wait for each
other, and ratios of wall times say little. OMP_NUM_THREADS=2 in the environment gives wall times on two
cores.

Peers are in score_peers.py.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from scipy.linalg.blas import dsyrk
from score_peers import peers_of
from threadpoolctl import threadpool_limits

from assay.actions.score import estimate, resolve_score
from assay.core.errors import NotApplicable
from assay.core.task import LabelKind, Labels
from assay.plugins.array_view import ArrayView
from assay.plugins.families import BUILT_IN
from assay.plugins.method import ContrastScore, FactScore, HeldOutScore, MomentScore, SourceScore, WeightScore
from assay.plugins.train_view import SAMPLE

SHAPES = ((5000, 1024, 100), (50_000, 2048, 100), (2000, 4096, 10))
BLOCK = 512  # examples that are added to Moments at once
PAIRS = 3
LIMIT = 120  # seconds that a row may take
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
_NOT_OF_FEATURES = (FactScore, WeightScore, SourceScore, ContrastScore)


def draw(count: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features such as a network with rectified units gives, in single precision, and labels."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(count) % classes)
    centres = rng.standard_normal((classes, width)).astype(np.float32)
    features = rng.standard_normal((count, width), dtype=np.float32)
    features += 0.3 * centres[labels]
    return np.maximum(features, -0.2, out=features), labels


class Row:
    """One measurement."""

    def __init__(self, seconds: float, megabytes: float, said: str) -> None:
        self.seconds, self.megabytes, self.said = seconds, megabytes, said


def measure(work: Callable[[], object], runs: int = 2) -> Row:
    """Run some work in a forked process; return its least time and the memory that it added."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _report(work, runs, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return Row(**json.loads(told)) if told else Row(float("nan"), float("nan"), f"more than {LIMIT} s")


def _report(work: Callable[[], object], runs: int, pipe: int) -> None:
    signal.setitimer(signal.ITIMER_PROF if THREADS == 1 else signal.ITIMER_REAL, LIMIT)
    warnings.simplefilter("ignore")
    before, times, said = _memory("VmRSS"), [], ""
    clock = time.process_time if THREADS == 1 else time.perf_counter
    for _ in range(runs):
        start = clock()
        try:
            said = str(work())
        except NotApplicable as reason:
            said = str(reason)
        times.append(clock() - start)
        if times[0] > LIMIT / 4:
            break
    found = {"seconds": min(times), "megabytes": _memory("VmHWM") - before, "said": said}
    os.write(pipe, json.dumps(found).encode())
    os._exit(0)


def _memory(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def gram(features: np.ndarray) -> float:
    """Return the trace of F'F, computed as a whole."""
    return float(np.trace(features.T @ features))


def gram_by_block(features: np.ndarray) -> float:
    """Return the trace of F'F in double precision, from blocks in single precision."""
    width = features.shape[1]
    upper, block = np.zeros((width, width), order="F"), np.empty((BLOCK, width))
    for start in range(0, len(features), BLOCK):
        rows = features[start : start + BLOCK]
        block[: len(rows)] = rows
        upper = dsyrk(1.0, block[: len(rows)].T, beta=1.0, c=upper, overwrite_c=True)
    return float(np.trace(upper))


def _products(rows: np.ndarray) -> float:
    """Compute FF' piece by piece, as where it does not fit into memory."""
    return float(sum((rows[start : start + 1000] @ rows.T).max() for start in range(0, len(rows), 1000)))


def view_of(features: np.ndarray, labels: np.ndarray) -> ArrayView:
    """Return a fresh view: nothing is computed yet."""
    classes = tuple(map(str, range(labels.max() + 1)))
    return ArrayView(Labels(LabelKind.CLASSIFICATION, labels, classes), features)


def scores_of(features: np.ndarray, labels: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return the work of each score on fresh arrays, those of Moments first."""

    def work(name: str) -> Callable[[], object]:
        return lambda: f"{float(estimate(view_of(features, labels), resolve_score(name))):.4g}"

    names = [
        name
        for name in BUILT_IN.scores.names()
        if LabelKind.CLASSIFICATION in BUILT_IN.scores.load(name).kinds
    ]
    names = [name for name in names if not issubclass(BUILT_IN.scores.load(name), _NOT_OF_FEATURES)]
    return {name: work(name) for name in sorted(names, key=lambda name: (not of_moments(name), name))}


def of_moments(name: str) -> bool:
    """Tell whether a score reads Moments."""
    return issubclass(BUILT_IN.scores.load(name), (MomentScore, HeldOutScore)) and name != "logistic_cv"


def all_of_moments(features: np.ndarray, labels: np.ndarray) -> str:
    """Compute every score of Moments on one view, which shares one factorisation."""
    view, done = view_of(features, labels), 0
    for name in filter(of_moments, BUILT_IN.scores.names()):
        score = resolve_score(name)
        if view.kind in score.kinds:
            try:
                estimate(view, score)
                done += 1
            except NotApplicable:
                continue
    return f"{done} scores"


def bench(count: int, width: int, classes: int) -> None:
    """Measure and print one shape."""
    features, labels = draw(count, width, classes)
    print(f"\nN = {count:,}  D = {width:,}  C = {classes}", flush=True)
    print(f"{'':42}{'seconds':>9}{'x Gram':>9}{'MB':>8}  value", flush=True)

    all_of_moments(*draw(300, 20, 3))  # imports what it needs
    pairs = [
        (measure(partial(gram_by_block, features), 1), measure(lambda: all_of_moments(features, labels), 1))
        for _ in range(PAIRS)
    ]
    bare, whole = (min(rows, key=lambda row: row.seconds) for rows in zip(*pairs, strict=True))
    ratio = median(scores.seconds / product.seconds for product, scores in pairs)
    limit = bare.seconds
    show("F'F, block by block: the limit", bare, limit)
    show("F'F of a ready matrix", measure(partial(gram, features.astype(np.float64))), limit)
    show("F'F in single precision", measure(partial(gram, features)), limit)
    compared = features[:SAMPLE].astype(np.float64)
    show("FF' of at most 5000 examples", measure(lambda: _products(compared)), limit)
    show("Moments, 5 folds", measure(lambda: view_of(features, labels).moments().total.count), limit)
    show("Moments and all their scores", whole, whole.seconds / ratio)
    ours = {}
    for name, work in scores_of(features, labels).items():
        ours[name] = measure(work)
        show(f"{name}{'' if of_moments(name) else ' (at most 5000 examples)'}", ours[name], limit)
    for peer, (name, work) in peers_of(features, labels, view_of(features, labels).folds).items():
        row = measure(work, runs=1 if count > 10_000 else 2)
        same_rows = issubclass(BUILT_IN.scores.load(name), MomentScore) or count <= 5000
        mine = ours[name] if same_rows else measure(lambda n=name: _all_rows(features, labels, n))
        show(f"peer: {peer}", row, limit, f"{row.seconds / mine.seconds:.1f} x {name}")


def _all_rows(features: np.ndarray, labels: np.ndarray, name: str) -> str:
    from dataclasses import replace

    return f"{float(estimate(replace(view_of(features, labels), limit=None), resolve_score(name))):.4g}"


def show(name: str, row: Row, limit: float, more: str = "") -> None:
    """Print one row."""
    said = f"{more}  " if more else ""
    print(
        f"{name:42}{row.seconds:9.3f}{row.seconds / limit:9.2f}{row.megabytes:8.0f}  {said}{row.said}"[:150],
        flush=True,
    )


def main() -> None:
    """Measure the shapes that are named, or all."""
    named = [tuple(map(int, text.split("x"))) for text in sys.argv[1:]]
    with threadpool_limits(THREADS):
        for shape in named or SHAPES:
            bench(*shape)


if __name__ == "__main__":
    os.environ |= {"OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "PASSIVE"}  # of what loads later
    main()
