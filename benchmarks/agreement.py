"""Prints how well published transferability scores ranked models, beside baselines that look at no data.

    python benchmarks/agreement.py ../shared/tables

The folder holds published scores beside what training gave, one JSON file per table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from assay.analysis.agreement import RankedBy, agreement, weighted_tau

Table = Mapping[str, Mapping[str, float]]  # data set -> model -> value
WIDTH = 75


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Published scores of one collection of models, and what training gave.

    Attributes:
        truth: In points, on the data sets that the scores are judged on.
        past: The same on all data sets that the static ranking learns from.
        scores: Metric -> setting -> scores, higher is better.
    """

    title: str
    source: str
    truth: Table
    past: Table
    scores: Mapping[str, Mapping[str, Table]]


@dataclass(frozen=True, slots=True)
class Row:
    """The mean agreement of one score over data sets.

    Attributes:
        both: Weighted tau ranked by both; zero where a score is constant.
        truth: Weighted tau ranked by the truth; zero where a score is constant.
        regret: Points lost by taking the model with the best score.
        constant: On how many data sets the score is constant.
    """

    name: str
    setting: str
    both: float
    truth: float
    regret: float
    constant: int = 0


def read(folder: Path, name: str) -> Table:
    """Return one table of the folder."""
    table: Table = json.loads((folder / f"{name}.json").read_text("utf-8"))["table"]
    return table


def read_scores(folder: Path, name: str) -> dict[str, Table]:
    """Return the tables of one file, metric by metric."""
    tables: dict[str, Table] = json.loads((folder / f"{name}.json").read_text("utf-8"))["table"]
    return tables


def times(table: Table, factor: float) -> Table:
    """Return the table with every value multiplied."""
    return {task: {model: factor * value for model, value in row.items()} for task, row in table.items()}


def model_spider(folder: Path) -> Benchmark:
    """Ten CNNs; the two regression tasks have no scores. PACTran is published negated already."""
    scores = read_scores(folder, "modelspider_baseline_scores")
    trained = read(folder, "modelspider_single_source_finetune")
    truth = {task: trained[task] for task in trained if task in scores["LogME"]}
    named = {metric.replace("Dirichlet", ""): {"": table} for metric, table in scores.items()}
    return Benchmark("10 CNNs of one source on 8 image sets", "zhangyikaii/Model-Spider", truth, truth, named)


def model_spider_sources(folder: Path) -> Benchmark:
    """The models whose source data the paper does not set aside; no scores are published."""
    whole = json.loads((folder / "modelspider_multi_source_finetune.json").read_text("utf-8"))
    left_out = set(whole["paper_excluded_sources"])
    truth = {
        task: {model: value for model, value in row.items() if model.rsplit("_", 1)[1] not in left_out}
        for task, row in whole["table"].items()
    }
    return Benchmark("42 CNNs of 14 sources on 7 image sets", "zhangyikaii/Model-Spider", truth, truth, {})


def glue(folder: Path) -> Benchmark:
    """Six text encoders; every metric in several settings. PACTran is published as a cost."""
    truth = read(folder, "glue_finetuned_6plm")
    scores: dict[str, dict[str, Table]] = {}
    for name, table in read_scores(folder, "glue_metric_scores_6plm").items():
        metric, _, setting = name.replace("@", "-", 1).partition("-")
        scores.setdefault(metric, {})[setting] = times(table, -1) if metric == "PACTran" else table
    return Benchmark("6 text encoders on 8 GLUE tasks", "Ba1Jun/model-selection-nlp", truth, truth, scores)


def medmnist(folder: Path) -> Benchmark:
    """One CNN trained on fifteen sources; a target is no source of itself. One target has no scores."""
    past = times(read(folder, "medmnist_dataset_AUC"), 100)
    scores = read_scores(folder, "medmnist_dataset_scores")
    source = "DovileDo/transferability-in-medical-imaging"
    named = {metric.upper(): {"": table} for metric, table in scores.items()}
    named["LP x FU"] = {"": {task: product(row, scores["fu"][task]) for task, row in scores["lp"].items()}}
    title = "1 CNN from 15 sources on 11 medical image sets (points of AUC)"
    return Benchmark(title, source, {task: past[task] for task in scores["lp"]}, past, named)


def product(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return the product of two scores, each stretched to 0..1 over its models: the authors' own score."""
    return {model: stretched(first)[model] * stretched(second)[model] for model in first}


def stretched(row: Mapping[str, float]) -> dict[str, float]:
    low, high = min(row.values()), max(row.values())
    return {model: (value - low) / (high - low) for model, value in row.items()}


def static(past: Table) -> Table:
    """Return the mean rank of each model on the other data sets: a ranking that never sees the target."""
    ranks = {
        task: dict(zip(row, stats.rankdata(list(row.values())), strict=True)) for task, row in past.items()
    }
    return {
        task: {
            model: float(
                np.mean([ranks[other][model] for other in past if other != task and model in past[other]])
            )
            for model in row
        }
        for task, row in past.items()
    }


def judge(name: str, setting: str, scores: Table, truth: Table) -> Row:
    """Compare one score with the truth on every data set."""
    both, ranked_by_truth, regret = [], [], []
    for task, values in truth.items():
        found = agreement(name, task, scores[task], values)
        assert found is not None
        models = sorted(scores[task].keys() & values.keys())
        sides = [np.array([side[model] for model in models]) for side in (scores[task], values)]
        both.append(found.weighted_tau)
        ranked_by_truth.append(weighted_tau(sides[0], sides[1], ranked_by=RankedBy.TRUTH))
        regret.append(found.regret)
    return Row(name, setting, mean(both), mean(ranked_by_truth), mean(regret), both.count(None))


def mean(values: Sequence[float | None]) -> float:
    """Return the mean over data sets; a constant score has no tau, and counts as one that says nothing."""
    return float(np.mean([value or 0.0 for value in values]))


def rows(benchmark: Benchmark) -> Iterator[Row]:
    """Yield every metric in the setting that hindsight finds best, and the baselines."""
    for metric, settings in benchmark.scores.items():
        judged = [judge(metric, setting, table, benchmark.truth) for setting, table in settings.items()]
        yield max(judged, key=lambda row: row.both)
    yield judge("> static", "mean rank on the other sets", static(benchmark.past), benchmark.truth)
    losses = [max(row.values()) - float(np.mean(list(row.values()))) for row in benchmark.truth.values()]
    yield Row("> random", "expected value", 0.0, 0.0, float(np.mean(losses)))


def render(benchmark: Benchmark) -> str:
    """Return the table of one benchmark, best first."""
    found = sorted(rows(benchmark), key=lambda row: -row.both)
    lines = [benchmark.title, benchmark.source, "-" * WIDTH]
    lines += [f"{'':49}weighted tau by   regret@1"]
    lines += [f"{'metric':13}{'setting':36}{'both':>6}{'truth':>9}{'points':>11}", "-" * WIDTH]
    lines += [
        f"{row.name + '*' * (row.constant > 0):13}{row.setting:36}"
        f"{row.both:6.3f}{row.truth:9.3f}{row.regret:11.2f}"
        for row in found
    ]
    lines += [
        f"* constant on {row.constant} of {len(benchmark.truth)} sets, counted there as tau 0"
        for row in found
        if row.constant
    ]
    if any(len(settings) > 1 for settings in benchmark.scores.values()):
        count = sum(map(len, benchmark.scores.values()))
        lines += [f"Each metric in the best of its settings, chosen in hindsight from {count} in all."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tables", type=Path, help="the folder of tables")
    folder = parser.parse_args().tables
    print("\n\n".join(render(load(folder)) for load in (model_spider, model_spider_sources, glue, medmnist)))


if __name__ == "__main__":
    main()
