"""What the linear probe costs: its path of penalties and the refit, against scikit-learn, in one run.

    python benchmarks/probes.py                   # four shapes, some minutes on two cores
    python benchmarks/probes.py 5000x1024x100     # one shape: examples of train x width x classes
    python benchmarks/probes.py --device cuda     # the probe on a GPU; scikit-learn stays on the CPU

Both choose among the same 46 penalties on val and fit train and val again with the best. scikit-learn is
LogisticRegression(warm_start=True) on standardised features, each penalty from the weights of the one before,
at its own tolerance. Rows take turns, each in a process of its own, and the least time of all rounds counts,
because other work on the machine only ever adds;
under OMP_NUM_THREADS=1 it is processor time. Val and test have a fifth of train each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from typing import NamedTuple

import numpy as np

from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.numerics.linear import L2_PATH

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is loaded

SHAPES = ("300x1280x10", "2000x768x20", "5000x1024x100", "20000x512x10")
ROUNDS = 3
LIMIT = 600  # seconds that a row may take
APART = 5.0  # deviations between two class means: no probe gets all right


class Splits(NamedTuple):
    """What is learned from, chosen on, and judged on."""

    train: LabelledFeatures
    val: LabelledFeatures
    test: LabelledFeatures


class Outcome(NamedTuple):
    """What came out."""

    seconds: float
    l2: float
    accuracy: float


def draw(shape: str, device: str) -> Splits:
    """Return features as networks give them: rectified, and along few directions more than along others."""
    count, width, classes = map(int, shape.split("x"))
    rng = np.random.default_rng(0)
    ends = np.cumsum([count, count // 5, count // 5])
    values = rng.permutation(np.arange(ends[-1]) % classes)
    centres = rng.standard_normal((classes, width)) * APART / np.sqrt(2 * width)
    spread = (1 + np.arange(width)) ** -0.5  # variances fall as one over the rank
    mixing = np.linalg.qr(rng.standard_normal((width, width)))[0] * spread[:, None]
    inner = rng.standard_normal((len(values), width)) + centres[values]
    matrix = np.maximum(inner @ mixing, 0).astype(np.float32)
    labels = Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(classes))))
    parts = np.split(np.arange(len(values)), ends[:-1])
    return Splits(*(LabelledFeatures(Features(matrix, device), labels).take(rows) for rows in parts))


def linear_probe(splits: Splits) -> tuple[float, float]:
    """Return the penalty that is chosen, and accuracy on test."""
    from assay.protocols.linear_probe import LinearProbe

    fitted = LinearProbe().fit(splits.train, splits.val, Accuracy())
    predicted = fitted.predictor(splits.test.matrix)
    return fitted.tuned["l2"], Accuracy()(splits.test.labels, predicted.values)


def scikit_learn(splits: Splits) -> tuple[float, float]:
    """Return the penalty that is chosen, and accuracy on test."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, val, test = splits
    scaler = StandardScaler().fit(train.matrix)
    learned, seen = scaler.transform(train.matrix), scaler.transform(val.matrix)
    model = LogisticRegression(warm_start=True, max_iter=1000)
    values = []
    for l2 in L2_PATH:
        model.set_params(C=1 / (len(train) * l2)).fit(learned, train.labels.values)
        values.append(model.score(seen, val.labels.values))
    best = L2_PATH[int(np.argmax(values))]
    both = train.followed_by(val)
    scaler = StandardScaler().fit(both.matrix)
    model = LogisticRegression(C=1 / (len(both) * best), max_iter=1000)
    model.fit(scaler.transform(both.matrix), both.labels.values)
    return best, float(model.score(scaler.transform(test.matrix), test.labels.values))


ROWS = {"scikit-learn": scikit_learn, "linear_probe": linear_probe}


def run_here(row: str, shape: str, device: str) -> None:
    """Run a row in this process and print what came out as JSON; a small run first pays for imports."""
    warnings.simplefilter("ignore")
    ROWS[row](draw("60x8x3", device))
    splits = draw(shape, device)
    clock = time.process_time if os.environ.get("OMP_NUM_THREADS") == "1" else time.perf_counter
    start = clock()
    result = ROWS[row](splits)
    print(json.dumps([clock() - start, *result]))


def measured(row: str, shape: str, device: str) -> Outcome | None:
    """Run a row in a process of its own; None where it took too long."""
    command = [sys.executable, __file__, "--row", row, "--device", device, shape]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None
    return Outcome(*json.loads(done.stdout))


def compare(shape: str, device: str, rounds: int) -> None:
    """Print the rows of one shape."""
    found: dict[str, list[Outcome]] = {row: [] for row in ROWS}
    for _ in range(rounds):
        for row, outcomes in found.items():
            outcomes.extend(filter(None, [measured(row, shape, device)]))
    least = {row: min(one.seconds for one in outcomes) for row, outcomes in found.items() if outcomes}
    print(f"\n{shape} on {device}\n{'':16}{'seconds':>9}{'ratio':>8}{'l2':>10}{'accuracy':>10}")
    for row, outcomes in found.items():
        if not outcomes:
            print(f"{row:16}{f'>{LIMIT}':>9}")
            continue
        ratio = f"{least[row] / least['scikit-learn']:8.3f}" if "scikit-learn" in least else " " * 8
        print(f"{row:16}{least[row]:9.2f}{ratio}{outcomes[0].l2:10.1e}{outcomes[0].accuracy:10.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shapes", nargs="*", default=SHAPES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    written = parser.parse_args()
    for shape in written.shapes:
        if written.row:
            run_here(written.row, shape, written.device)
        else:
            compare(shape, written.device, written.rounds)


if __name__ == "__main__":
    main()
