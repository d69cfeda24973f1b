"""What own numerical code gains over the library that could replace it: paired runs, one BLAS thread.

    python benchmarks/numerics.py                   # two shapes, some minutes
    python benchmarks/numerics.py 5000x1024x100     # one shape: examples x width x columns of targets
    python benchmarks/numerics.py --rounds 1 60x20x3

Ours and the library take turns; each pair gives a ratio of processor times, library over ours, and the median
counts. Above 1 our own code is the faster. The linear probe has a benchmark of its own: probes.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.ridge import PENALTIES, rules_of
from assay.moments.spectrum import basis_of_gram, basis_of_rows, with_one_more_row
from assay.moments.stream import moments_of, stratified_folds
from assay.numerics.columns import centred_ranks

SHAPES = ("5000x1024x100", "2000x4096x10")
ROUNDS = 3
Pair = tuple[Callable[[], object], Callable[[], object]]  # ours, and the library


def draw(shape: str) -> FoldedMoments:
    """Return the moments of features along few directions more than along others."""
    count, width, classes = map(int, shape.split("x"))
    rng = np.random.default_rng(0)
    values = rng.permutation(np.arange(count) % classes)
    matrix = rng.standard_normal((count, width)) * (1 + np.arange(width)) ** -0.5
    matrix += rng.standard_normal((classes, width))[values] / np.sqrt(width) + 1
    labels = Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(classes))))
    return moments_of(matrix, labels, stratified_folds(labels, 5, 0))


def eigenbasis(train: FoldedMoments) -> Pair:
    """The spectrum about the mean: eigenvectors that are never written out, or those of eigh."""
    scatter, total = train.total.scatter, train.total
    few = scatter.rows is not None
    gram = scatter.dual if few else scatter.centred_gram()
    columns = total.centred_targets() if few else total.centred_cross()

    def ours() -> object:
        if few:
            return basis_of_rows(scatter.centred_rows, gram.copy(), 0.0).project_targets(columns)
        return basis_of_gram(gram.copy(), 0.0).project(columns)

    def library() -> object:
        vectors = np.linalg.eigh(gram)[1]
        return vectors.T @ columns

    return ours, library


def rank_one_update(train: FoldedMoments) -> Pair:
    """The uncentred spectrum from that about the mean: a rank-one update, or eigh of the new matrix."""
    values, cross = train.spectrum
    row = np.sqrt(train.total.count) * train.total.scatter.mean_in_basis
    roots, bordered = np.sqrt(np.append(values, 0.0)), np.vstack([cross, np.zeros((1, cross.shape[1]))])

    def ours() -> object:
        return with_one_more_row(roots, row).project(bordered)

    def library() -> object:
        vectors = np.linalg.eigh(np.diag(np.square(roots)) + np.outer(row, row))[1]
        return vectors.T @ bordered

    return ours, library


def ridge_of_folds(train: FoldedMoments) -> Pair:
    """Ridge regression on all folds but one, from rows: tridiagonal systems, or eigh for each fold."""
    scatter, targets = train.total.scatter, train.total.target_rows
    if targets is None:
        return (lambda: None), (lambda: None)
    sizes = np.cumsum([fold.count for fold in train.folds])[:-1]
    parts = np.split(np.arange(scatter.count), sizes)
    _ = scatter.dual

    def library() -> object:
        found = []
        for fold in parts:
            rest = np.setdiff1d(np.arange(scatter.count), fold)
            dual = scatter.dual[np.ix_(rest, rest)]
            means = dual.mean(axis=0)
            dual -= means + (means - means.mean())[:, None]
            values, vectors = np.linalg.eigh(dual)
            turned = vectors.T @ (targets[rest] - targets[rest].mean(axis=0))
            penalties = np.array(PENALTIES)[:, None] * values.mean()
            shrunk = penalties / (np.maximum(values, 0.0) + penalties)
            errors = np.square(shrunk) @ np.square(turned).sum(axis=1) / np.square(shrunk.sum(axis=1))
            found.append(vectors @ (turned / (values + penalties[errors.argmin()])[:, None]))
        return found

    return partial(rules_of, train.total, train.folds, train.total.spectrum()), library


def ranks(train: FoldedMoments) -> Pair:
    """Ranks of a million numbers, ties averaged: own runs of equals, or scipy's rankdata."""
    from scipy.stats import rankdata

    numbers = np.random.default_rng(train.total.count).standard_normal(1_000_000).round(3)
    return (lambda: centred_ranks(numbers.copy())), (lambda: 2 * rankdata(numbers) - (len(numbers) + 1))


ROWS = {
    "eigenbasis": eigenbasis,
    "rank-one update": rank_one_update,
    "ridge of folds": ridge_of_folds,
    "ranks": ranks,
}


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shapes", nargs="*", default=SHAPES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    written = parser.parse_args()
    with threadpool_limits(1):
        for shape in written.shapes:
            train = draw(shape)
            print(f"\n{shape}\n{'':18}{'ours, s':>9}{'library, s':>12}{'ratio':>8}", flush=True)
            for name, make in ROWS.items():
                pair = make(train)
                runs = [[seconds(work) for work in pair] for _ in range(written.rounds)]
                ours, library = (median(column) for column in zip(*runs, strict=True))
                ratio = median(theirs / max(own, 1e-9) for own, theirs in runs)
                print(f"{name:18}{ours:9.3f}{library:12.3f}{ratio:8.2f}", flush=True)


if __name__ == "__main__":
    main()
