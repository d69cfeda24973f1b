"""Published agreement of published scores with what training gave, recomputed from their tables."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from assay.analysis.scores.agreement import agreement, correlations

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "benchmarks" / "agreement.py"

# zhangyikaii/Model-Spider README.md at d2a53e4, "Weighted Tau": eight data sets and their mean
MODEL_SPIDER = """
         Aircraft Caltech101 Cars   CIFAR10 CIFAR100 DTD    Pet   SUN397 Mean
H-Score  0.328    0.738      0.616  0.797   0.784    0.395  0.610 0.918  0.648
NCE      0.501    0.752      0.771  0.694   0.617    0.403  0.696 0.892  0.666
LEEP     0.244    0.014      0.704  0.601   0.620    -0.111 0.680 0.509  0.408
NLEEP    -0.725   0.599      0.622  0.768   0.776    0.074  0.787 0.730  0.454
LogME    0.540    0.666      0.677  0.802   0.798    0.429  0.628 0.870  0.676
PACTran  0.031    0.200      0.665  0.717   0.620    -0.236 0.616 0.565  0.397
OTCE     -0.241   -0.011     -0.157 0.569   0.573    -0.165 0.402 0.218  0.149
LFC      0.279    -0.165     0.243  0.346   0.418    -0.722 0.215 -0.344 0.034
GBC      -0.744   -0.055     -0.265 0.758   0.544    -0.102 0.163 0.457  0.095
"""
OTHER_SCORES = {("LEEP", "Aircraft"), ("NLEEP", "Aircraft"), ("LogME", "Aircraft")}  # see the tests of these

# DovileDo/transferability-in-medical-imaging dataset_transferability.ipynb at 7e308c4, output of cell 6;
# its "perf" is LP, its "grads" is FU and its "our" is their product
MEDMNIST = """
               LOGME    SFDA      LEEP     PARC      NCTI      NLEEP    LPxFU    LP       FU
bloodmnist     0.107977 0.296137  0.482026 0.298958  0.068120  0.748447 0.777388 0.534376 0.575533
breastmnist    0.219782 NaN       0.260403 0.196049  -0.150684 0.206042 0.440759 0.252593 0.384928
dermamnist     0.519961 -0.271453 0.229000 0.340917  0.192231  0.437743 0.701932 0.538884 0.738717
octmnist       0.259121 0.188116  0.517829 0.341177  0.274093  0.233829 0.452072 0.525107 0.255725
organamnist    0.255447 -0.001884 0.175358 0.271402  -0.264714 0.322740 0.566029 0.459053 0.447535
organcmnist    0.467316 0.427559  0.403950 0.499248  0.457477  0.465912 0.108590 0.513068 -0.175234
organsmnist    0.120056 0.656912  0.237836 0.168259  0.313617  0.102755 0.219208 0.214686 -0.042252
pathmnist      0.505637 0.380054  0.560906 0.538126  0.403055  0.568479 0.615297 0.471522 0.761972
pneumoniamnist 0.311260 NaN       0.221659 0.121000  -0.365483 0.307391 0.612253 0.065244 0.527506
retinamnist    0.332362 0.267265  0.344523 0.501794  0.471825  0.552549 0.602210 0.740219 0.542313
tissuemnist    0.584672 0.460064  0.422373 -0.014328 0.617896  0.577602 0.652513 0.529376 0.493466
"""

# Ba1Jun/model-selection-nlp project/src/utils/export_glue_results.ipynb at 00d1fcb, output of cell 18:
# the mean Spearman correlation of each method at its best width; similarities are to albert-base-v2
GLUE = """
DSE-corr 0.43, DSE-dot 0.20, DSE-cos 0.40, DSE-l2 0.45, PA 0.29, RSA-corr 0.11, RSA-cos 0.14, RSA-l2 0.06,
RSA-dot 0.14, DDS-corr -0.06, DDS-cos -0.06, DDS-dot -0.03, DDS-l2 0.03, kNN-1-l2 0.24, kNN-3-l2 0.34,
kNN-5-l2 0.27, kNN-1-cos 0.15, kNN-3-cos 0.34, kNN-5-cos 0.37, kNN-1-corr 0.19, kNN-3-corr 0.39,
kNN-5-corr 0.41, GBC 0.22, HScore 0.57, HScoreR 0.60, MSC-l2 0.08, MSC-cos 0.22, MSC-corr 0.22, LFC-corr 0.08,
LFC-cos 0.09, LFC-dot -0.13, LFC-l2 0.08, TransRate 0.03, NLEEP 0.39, PARC-corr 0.67, PARC-cos 0.64,
PARC-dot 0.64, PARC-l2 0.49, Logistic 0.53, LogME 0.62, SFDA 0.59, PACTran-1-100 0.48, PACTran-1-10 0.51,
PACTran-10-1000 0.47, PACTran-10-100 0.51, PACTran-0.1-10 0.35, PACTran-0.1-1 0.36
"""


@pytest.fixture(scope="module")
def tables() -> Path:
    """The folder of published tables beside the checkout."""
    folder = Path(os.environ.get("ASSAY_TABLES", ROOT.parent / "shared" / "tables"))
    if not (folder / "modelspider_baseline_scores.json").is_file():
        pytest.skip("needs data beside the checkout: shared/tables, or the folder named in ASSAY_TABLES")
    return folder


@pytest.fixture(scope="module")
def benchmarks() -> ModuleType:
    """The script that reads the tables, as a module."""
    spec = importlib.util.spec_from_file_location("benchmarks_agreement", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def cells(text: str) -> list[tuple[str, str, float]]:
    """Return (row, column, value) of every number in a table of text."""
    head, *lines = text.strip().splitlines()
    rows = [line.split() for line in lines]
    return [
        (row[0], column, float(value))
        for row in rows
        for column, value in zip(head.split(), row[1:], strict=True)
    ]


def sides(scores: dict[str, float], truth: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    models = sorted(scores.keys() & truth.keys())
    return np.array([scores[model] for model in models]), np.array([truth[model] for model in models])


def model_spider_tau(benchmark, metric: str, task: str) -> float:
    """Return the tau of Model Spider, after making sure that it is what their own call gives."""
    scores, truth = sides(benchmark.scores[metric][""][task], benchmark.truth[task])
    tau = correlations(scores, truth)["tau_by_truth"]
    assert tau == pytest.approx(stats.weightedtau(truth, scores, rank=None).statistic)
    return tau


@pytest.mark.parametrize(
    ("metric", "task", "published"),
    [cell for cell in cells(MODEL_SPIDER) if cell[1] != "Mean" and cell[:2] not in OTHER_SCORES],
)
def test_model_spiders_table_comes_out_to_three_decimals(tables, benchmarks, metric, task, published):
    tau = model_spider_tau(benchmarks.model_spider(tables), metric, task)

    assert tau == pytest.approx(published, abs=0.0005)


@pytest.mark.parametrize(("metric", "published"), [("LEEP", 0.244), ("LogME", 0.540)])
def test_two_cells_of_model_spider_come_from_scores_of_three_decimals(tables, benchmarks, metric, published):
    benchmark = benchmarks.model_spider(tables)
    scores, truth = sides(benchmark.scores[metric][""]["Aircraft"], benchmark.truth["Aircraft"])

    tau = correlations(np.round(scores, 3), truth)["tau_by_truth"]

    assert tau == pytest.approx(published, abs=0.0005)
    assert model_spider_tau(benchmark, metric, "Aircraft") != pytest.approx(published, abs=0.01)


def test_one_cell_of_model_spider_differs_by_the_place_of_one_model(tables, benchmarks):
    benchmark = benchmarks.model_spider(tables)
    scores = dict(benchmark.scores["NLEEP"][""]["Aircraft"])
    result = model_spider_tau(benchmark, "NLEEP", "Aircraft")

    scores["googlenet"] = scores["densenet201"] - 0.001  # two places lower
    moved = correlations(*sides(scores, benchmark.truth["Aircraft"]))["tau_by_truth"]

    assert result == pytest.approx(-0.766, abs=0.0005)  # scipy on their table of scores
    assert moved == pytest.approx(-0.725, abs=0.0005)  # their README


@pytest.mark.parametrize(
    ("metric", "published"),
    [(metric, value) for metric, task, value in cells(MODEL_SPIDER) if task == "Mean"],
)
def test_model_spiders_means_are_over_the_eight_data_sets(tables, benchmarks, metric, published):
    benchmark = benchmarks.model_spider(tables)
    known = {(row, task): value for row, task, value in cells(MODEL_SPIDER)}
    taus = [
        known[metric, task] if (metric, task) in OTHER_SCORES else model_spider_tau(benchmark, metric, task)
        for task in benchmark.truth
    ]

    assert np.mean(taus) == pytest.approx(published, abs=0.0006)  # theirs is the mean of rounded cells


@pytest.mark.parametrize(
    ("metric", "both", "truth"),
    [  # by both: reference/metrics.md beside the tables, facts 4 and 9; by the truth: the means above
        ("PACTran", 0.495, 0.397),
        ("GBC", 0.155, 0.094),
        ("H-Score", 0.657, 0.648),
    ],
)
def test_the_two_conventions_give_other_numbers_on_the_same_table(tables, benchmarks, metric, both, truth):
    benchmark = benchmarks.model_spider(tables)

    row = benchmarks.judge(metric, "", benchmark.scores[metric][""], benchmark.truth)

    assert (round(row.both, 3), round(row.truth, 3)) == (both, truth)


@pytest.mark.parametrize(("task", "metric", "published"), cells(MEDMNIST))
def test_the_taus_on_medical_images_come_out_to_six_decimals(tables, benchmarks, task, metric, published):
    benchmark = benchmarks.medmnist(tables)
    both = sides(benchmark.scores[metric.replace("x", " x ")][""][task], benchmark.truth[task])
    tau = correlations(*both)["weighted_tau"]
    value = np.nan if tau is None else tau

    assert value == pytest.approx(published, abs=6e-7, nan_ok=True)
    assert value == pytest.approx(stats.weightedtau(*both, rank=True).statistic, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("metric", "mean"),
    [  # reference/metrics.md beside the tables, section 2.2
        ("NLEEP", 0.411),
        ("FU", 0.410),
        ("LP", 0.440),
        ("LEEP", 0.351),
        ("LOGME", 0.335),
        ("PARC", 0.297),
        ("SFDA", 0.218),
        ("NCTI", 0.183),
    ],
)
def test_a_constant_score_counts_as_zero_in_the_mean(tables, benchmarks, metric, mean):
    benchmark = benchmarks.medmnist(tables)

    row = benchmarks.judge(metric, "", benchmark.scores[metric][""], benchmark.truth)

    assert round(row.both, 3) == mean
    assert row.constant == 2 * (metric == "SFDA")


@pytest.mark.parametrize("stated", GLUE.replace("\n", " ").split(","), ids=lambda stated: stated.split()[0])
def test_the_correlations_on_glue_come_out_to_two_decimals(tables, benchmarks, stated):
    method, published = stated.split()
    metric, _, variant = method.partition("-")
    benchmark = benchmarks.glue(tables)
    before = "-".join(
        filter(None, [variant, "albert-base-v2" * (metric in {"DSE", "PA", "RSA", "DDS"}), "d"])
    )
    settings = [
        scores
        for setting, scores in benchmark.scores[metric].items()
        if setting.rpartition("d")[0] + "d" == before
    ]
    result = [
        [agreement(method, task, scores[task], benchmark.truth[task]).spearman for task in benchmark.truth]
        for scores in settings
    ]

    best = max(np.mean(correlations) for correlations in result if None not in correlations)

    assert len(settings) == 8
    assert f"{best:.2f}" == published


@pytest.mark.parametrize(
    ("metric", "setting", "mean"),
    [  # reference/metrics.md beside the tables, section 2.2; GBC .17 and kNN .29 have two decimals there
        ("PARC", "corr-d512", 0.661),
        ("LogME", "d512", 0.593),
        ("HScoreR", "d768", 0.588),
        ("Logistic", "d64", 0.539),
        ("PACTran", "1-100-d64", 0.526),
        ("SFDA", "d512", 0.500),
        ("NLEEP", "d64", 0.367),
        ("kNN", "5-cos-d512", 0.290),
        ("GBC", "d128", 0.167),
    ],
)
def test_the_taus_on_glue_are_those_that_others_computed(tables, benchmarks, metric, setting, mean):
    benchmark = benchmarks.glue(tables)

    row = benchmarks.judge(metric, setting, benchmark.scores[metric][setting], benchmark.truth)

    assert round(row.both, 3) == mean


@pytest.mark.parametrize(
    ("name", "mean", "stated"),
    [  # stated: reference/metrics.md, section 2.2; equal mean ranks stay equal here, which moves two of them
        ("glue", 0.853, 0.853),
        ("model_spider", 0.680, 0.683),
        ("medmnist", 0.561, 0.560),
    ],
)
def test_a_ranking_that_never_sees_the_target_is_hard_to_beat(tables, benchmarks, name, mean, stated):
    benchmark = getattr(benchmarks, name)(tables)

    prior = benchmarks.judge("static", "", benchmarks.static(benchmark.past), benchmark.truth)
    others = [row.both for row in benchmarks.rows(benchmark) if not row.name.startswith(">")]

    assert round(prior.both, 3) == mean
    assert prior.both == pytest.approx(stated, abs=0.005)
    assert prior.both > max(others)  # the same section, "Lesson"


def test_the_zoo_of_many_sources_is_the_42_models_of_the_paper(tables, benchmarks):
    benchmark = benchmarks.model_spider_sources(tables)

    assert {len(row) for row in benchmark.truth.values()} == {42}  # Model-Spider README.md at d2a53e4


def test_a_static_ranking_of_many_sources_loses_a_sixth_of_what_chance_loses(tables, benchmarks):
    truth = benchmarks.read(tables, "modelspider_multi_source_finetune")
    prior = benchmarks.static(truth)
    shares = []
    for task, row in truth.items():
        values = np.array(list(row.values()))
        lost = np.array([agreement("static", task, prior[task], row).regret, values.max() - values.mean()])
        shares.append(lost / (values.max() - np.median(values)))

    assert np.round(np.mean(shares, axis=0), 2).tolist() == [0.24, 1.51]  # metrics.md, section 2.4, k=1


def test_the_static_ranking_never_sees_the_target(benchmarks):
    past = {"one": {"a": 1.0, "b": 2.0}, "two": {"a": 4.0, "b": 3.0}, "three": {"a": 5.0, "b": 6.0}}

    assert benchmarks.static(past)["two"] == {"a": 0.0, "b": 1.0}


def test_the_script_prints_tables_that_fit_a_terminal(tables):
    done = subprocess.run([sys.executable, SCRIPT, tables], capture_output=True, text=True, check=True)

    assert "PACTran                                           0.495    0.397       0.91" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_leaderboard_is_analysed_end_to_end(tables):
    """Zhai et al. (2019), https://arxiv.org/abs/1910.04867, table 2: Sup-Rotation-100% is the best method."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "across.py"), str(tables), "vtab_official"],
        capture_output=True,
        text=True,
        check=True,
    )

    row = done.stdout.splitlines()[1]
    assert row.startswith("vtab_official     16 x 38     16 x 38")
    assert "Sup-Rotation-100%: index 0.9" in row
