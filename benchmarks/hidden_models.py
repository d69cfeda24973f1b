"""What the search reaches where three in ten models of the zoo have no past at all.

    python benchmarks/hidden_models.py --tables ../shared/tables --seeds 4

Which models is drawn for each seed; each data set is new in turn. Normalised regret after 1, 3, 5, 10 and 20
models, a mean over data sets and seeds. A static ranking tries models without a past last.

What was measured stands in docs/history.md.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from assay.findings.matrix import Matrix
from assay.search.history import History
from assay.search.policies import MeanRank, Search
from assay.search.prior import learn
from assay.search.simulation import Case, at, by_group, cases, replay, usable
from search import MATRICES, TRIALS

HIDDEN = 0.3


def without_past(case: Case, masked: History) -> Case:
    """Return a case whose past is that of a history in which some models have no value."""
    columns = np.array([masked.models.index(model) for model in case.models])
    return case._replace(prior=learn(usable(masked.without(case.group)), case.task, columns))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("../shared/tables"))
    parser.add_argument("--seeds", type=int, default=4)
    arguments = parser.parse_args()
    for name, file, group, excluded in MATRICES[:3]:
        table = json.loads((arguments.tables / f"{file}.json").read_text("utf-8"))["table"]
        matrix = Matrix.of(table)
        history = History.of(matrix, {task: group(task) for task in matrix.tasks})
        reached: dict[str, list[np.ndarray]] = {}
        for seed in range(arguments.seeds):
            hidden = np.random.default_rng(seed).random(len(history.models)) < HIDDEN
            masked = replace(history, values=np.where(hidden, np.nan, history.values))
            every = [without_past(case, masked) for case in cases(history, exclude_contaminated=excluded)]
            for policy in (Search(), MeanRank()):
                replays = [replay(case, policy, max(TRIALS)) for case in every]
                groups = [one.group for one in replays]
                regrets = [by_group(at(replays, trials), groups).mean() for trials in TRIALS]
                reached.setdefault(policy.name, []).append(np.array(regrets))
        for rule, rows in reached.items():
            mean = np.mean(rows, axis=0)
            print(f"{name:28}{rule:11}" + "".join(f"{value:7.3f}" for value in mean), flush=True)


if __name__ == "__main__":
    main()
