"""What scores cost: seconds and peak memory, against the bare Gram product and against peers, in one run.

    python benchmarks/scores.py                # three shapes, some ten minutes on two cores
    python benchmarks/scores.py 5000x1024x100  # one shape: examples x width x classes

Each row is measured in a process of its own, forked from one that holds the features: the time is that of a
fresh call on arrays, Moments included, the least of two runs; the memory is what it held at most beyond the
features. `x Gram` is the time over that of the bare product F'F in double precision, the least that a score
of all examples can cost; of scores that compare every example with every other, at most 5,000 of them, FF' is
that. logistic_cv is scikit-learn's own solver in single precision: about as fast as that.

One core does all of it and its own time counts: where others use the machine too, threads wait for each
other, and ratios of wall times say little. OMP_NUM_THREADS=2 in the environment gives wall times on two
cores.

Peers get the same arrays in double precision, and where they have them the same folds and penalties:
transformer-ranker (pip install transformer-ranker), scikit-learn, and SFDA with the generalised eigenproblem
of its authors.
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

import numpy as np
from threadpoolctl import threadpool_limits

from assay.actions.score import estimate, resolve_score
from assay.core.errors import NotApplicable
from assay.core.task import LabelKind, Labels
from assay.moments.ridge import PENALTIES
from assay.plugins.array_view import ArrayView
from assay.plugins.families import BUILT_IN
from assay.plugins.method import ContrastScore, FactScore, HeldOutScore, MomentScore, SourceScore, WeightScore
from assay.plugins.train_view import SAMPLE

SHAPES = ((5000, 1024, 100), (50_000, 2048, 100), (2000, 4096, 10))
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


def sfda_by_eigenproblem(features: np.ndarray, labels: np.ndarray) -> str:
    """SFDA as its authors compute it (TencentARC/SFDA metrics.py at 3b7edf7): eigh(Sb, Sw) twice."""
    from scipy.linalg import eigh
    from scipy.special import softmax

    x, classes = np.asarray(features, dtype=np.float64), int(labels.max()) + 1
    counts = np.bincount(labels)
    strength = None
    for turn in range(2):
        means = np.stack([x[labels == label].mean(axis=0) for label in range(classes)])
        within = sum(
            np.cov(x[labels == label].T, bias=True) * counts[label] / len(x) for label in range(classes)
        )
        between = np.cov(x.T, bias=True) - within
        if strength is None:
            strength = max(np.exp(-5 * np.linalg.norm(within, 2)), 1e-10)
        shrunk = (1 - strength) * within + strength * np.trace(within) / len(within) * np.eye(len(within))
        values, vectors = eigh(between, shrunk)
        vectors = vectors[:, np.argsort(values)[::-1]]
        weights = means @ vectors @ vectors.T
        logits = x @ weights.T - 0.5 * np.diag(means @ weights.T) + np.log(counts / len(x))
        probs = softmax(logits, axis=1)
        if turn == 0:
            own = softmax(probs, axis=1)[np.arange(len(x)), labels][:, None]
            others = (means.sum(axis=0) - means[labels]) / (classes - 1)
            x = own * x + (1 - own) * others
    return f"{probs[np.arange(len(x)), labels].mean():.4g}"


def peers_of(features: np.ndarray, labels: np.ndarray) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return for each peer our score of the same kind and its work."""
    found: dict[str, tuple[str, Callable[[], object]]] = {
        "SFDA by eigh(Sb, Sw)": ("sfda", lambda: sfda_by_eigenproblem(features, labels)),
    }

    def estimator(name: str) -> Callable[[], object]:
        def work() -> str:
            import torch
            from transformer_ranker import estimators

            peer, x = getattr(estimators, name)(), torch.from_numpy(features).double()
            return f"{peer.fit(embeddings=x, labels=torch.from_numpy(labels)):.4g}"

        return work

    folds = view_of(features, labels).folds

    def judged(make: Callable[[], object]) -> Callable[[], object]:
        def work() -> str:
            from sklearn.model_selection import PredefinedSplit, cross_val_score

            x = features.astype(np.float64)
            return f"{cross_val_score(make(), x, labels, cv=PredefinedSplit(folds)).mean():.4g}"

        return work

    if _is_there("transformer_ranker"):
        found["transformer-ranker LogME"] = ("logme", estimator("LogME"))
        found["transformer-ranker HScore"] = ("h_score_regularised", estimator("HScore"))
        found["transformer-ranker NearestNeighbors"] = ("loo_knn", estimator("NearestNeighbors"))
    for name, score, make in learners_of(features):
        found[f"scikit-learn {name}, 5 folds"] = (score, judged(make))
    return found


def learners_of(features: np.ndarray) -> list[tuple[str, str, Callable[[], object]]]:
    """Return the learners of scikit-learn, each with our score of the same kind."""

    def logistic() -> object:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=200))

    def discriminant() -> object:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")

    eigenvalue = features.var(axis=0, dtype=np.float64).sum() * len(features) / min(features.shape)

    def ridge() -> object:
        from sklearn.linear_model import RidgeClassifierCV

        return RidgeClassifierCV(np.array(PENALTIES) * eigenvalue)

    return [
        ("LDA", "lda_cv", discriminant),
        ("RidgeClassifierCV", "ridge_cv", ridge),
        ("LogisticRegression", "logistic_cv", logistic),
    ]


def _is_there(package: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(package) is not None


def bench(count: int, width: int, classes: int) -> None:
    """Measure and print one shape."""
    features, labels = draw(count, width, classes)
    print(f"\nN = {count:,}  D = {width:,}  C = {classes}", flush=True)
    print(f"{'':42}{'seconds':>9}{'x Gram':>9}{'MB':>8}  value", flush=True)

    limit = max(measure(partial(gram, features.astype(np.float64))).seconds, 1e-6)
    single = measure(partial(gram, features))
    show("F'F in double precision: the limit", Row(limit, width * width * 8 / 2**20, ""), limit)
    show("F'F in single precision", single, limit)
    compared = features[:SAMPLE].astype(np.float64)
    show("FF' of at most 5000 examples", measure(lambda: _products(compared)), limit)
    show("Moments, 5 folds", measure(lambda: view_of(features, labels).moments().total.count), limit)
    show("Moments and all their scores", measure(lambda: all_of_moments(features, labels)), limit)
    ours = {}
    for name, work in scores_of(features, labels).items():
        ours[name] = measure(work)
        show(f"{name}{'' if of_moments(name) else ' (at most 5000 examples)'}", ours[name], limit)
    for peer, (name, work) in peers_of(features, labels).items():
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
