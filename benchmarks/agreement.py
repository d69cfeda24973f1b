"""Prints how well published transferability scores ranked models, beside baselines that look at no data.

    python benchmarks/agreement.py ../shared/tables

The folder holds published scores beside what training gave, one JSON file per table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.analysis.scores.baselines import static_ranking
from assay.analysis.scores.over_tasks import agreements
from assay.findings.matrix import Matrix

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
    """Return how good each model was on the other data sets: a ranking that never sees the target."""
    ranking = static_ranking(Matrix.of(past))
    return {task: ranking.column(task) for task in ranking.tasks}


def judge(name: str, setting: str, scores: Table, truth: Table) -> Row:
    """Compare one score with the truth on every data set."""
    return judge_all({(name, setting): scores}, truth)[0]


def judge_all(scores: Mapping[tuple[str, str], Table], truth: Table) -> list[Row]:
    """Compare scores, by name and setting, with the truth on every data set."""
    named = {" | ".join(key): (key, Matrix.of(table)) for key, table in scores.items()}
    found = agreements({name: matrix for name, (_, matrix) in named.items()}, Matrix.of(truth), "truth")
    overall = {one.score: one for one in found.overall}
    return [
        Row(*key, one.weighted_tau, one.tau_by_truth, one.shortlists[0].regret, one.constant)
        for name, (key, _) in named.items()
        for one in [overall[name]]
    ]


def rows(benchmark: Benchmark) -> Iterator[Row]:
    """Yield every metric in the setting that hindsight finds best, and the baselines."""
    every = {
        (metric, setting): table
        for metric, settings in benchmark.scores.items()
        for setting, table in settings.items()
    }
    judged = judge_all(every, benchmark.truth)
    for metric in benchmark.scores:
        yield max((row for row in judged if row.name == metric), key=lambda row: row.both)
    yield judge("> static", "mean rank on the other sets", static(benchmark.past), benchmark.truth)
    chance = {task: dict.fromkeys(row, 0.0) for task, row in benchmark.truth.items()}
    yield replace(judge("> random", "expected value", chance, benchmark.truth), constant=0)


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
