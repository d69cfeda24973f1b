"""Simulates the results of a study, including edge cases for reports, without models or data."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from assay.analysis.evidence import Evidence
from assay.core.job import Job
from assay.core.metric import Metric
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.slices import SliceColumn
from assay.core.task import Labels, Modality, TaskKind
from assay.findings.facts import ModelRow, TaskFacts
from assay.findings.per_task import OTHER_MODALITY

PROTOCOL = "linear_probe"
SCORES = ("h_score", "logme", "ridge_cv")
SEEDS = (0, 1, 2)
_MAPS = "folder:./satellite images of the northern districts/2026 (checked twice)"
_STARS = "table:reviews.csv(label='stars', text='review')"

# name, parameters in millions, latency in milliseconds, skill (0: chance level, 3: nearly perfect)
_IMAGE_MODELS = (
    ("timm:vit_small_patch14_reg4_dinov2.lvd142m", 22.1, 61.0, 2.02),
    ("timm:resnet50.a1_in1k", 25.6, 24.0, 2.0),
    ("packaged:efficientnet_lite0", 4.65, 9.4, 1.7),
    ("timm:tf_efficientnet_lite0.in1k", 4.65, 9.9, 1.7),  # the same weights from another source
    ("onnx:./模型/视觉-编码器.onnx", 86.6, 148.0, 1.55),
    (
        "timm:mobilenetv2_100(checkpoint='experiments/2026-03-14/street_signs_epoch_042.safetensors')",
        3.5,
        7.1,
        1.3,
    ),
    ("timm:resnet18(pretrained=False)", 11.7, 11.2, 0.25),
)
_TEXT_MODELS = (
    ("sentence:all-MiniLM-L6-v2", 22.7, 6.3, 1.6),
    ("hf:google-bert/bert-base-uncased", 109.5, 41.0, 1.2),
    ("vectors:./glove.6B.100d.txt", 40.0, 0.08, 0.9),
)
_BROKEN = "hf:example-lab/broken-<checkpoint>"
_NO_HEAD = "timm:convnext_tiny.fb_in22k"


class SimulatedAccuracy(Metric):
    """Fraction of correct predictions."""

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})
    is_mean: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the fraction."""
        return float(np.mean(truth.values == predicted))


class SimulatedError(Metric):
    """Root mean squared error, stored negated."""

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})
    shown_negated: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the negated error."""
        return -float(np.sqrt(np.mean((truth.values - predicted) ** 2)))


def simulate_study(seed: int = 0, more_models: int = 0) -> Evidence:
    """Simulate at least ten models on three tasks, with ties, identical models, skipped and failed jobs.

    Args:
        seed: The seed of all random numbers.
        more_models: The number of image models to add.
    """
    rng = np.random.default_rng(seed)
    metrics: dict[str, Metric] = {"accuracy": SimulatedAccuracy(), "rmse": SimulatedError()}
    tasks = _tasks()
    images = _IMAGE_MODELS + tuple(
        (f"timm:member_{number:03}", 5.0 + number, 5.0 + number / 2, rng.uniform(0.3, 1.9))
        for number in range(more_models)
    )
    results: list[Result] = []
    predictions: dict[str, Predicted] = {}
    truths: dict[str, Labels] = {}
    for task in tasks:
        truth = _truth(task, rng)
        truths[task.fingerprint] = Labels(task.kind.label_kind, truth, task.classes)
        difficulty = rng.normal(size=len(truth))
        fitting, others = (
            (images, _TEXT_MODELS) if task.modality is Modality.IMAGE else (_TEXT_MODELS, images)
        )
        for name, _, _, skill in fitting:
            drawn = np.random.default_rng([seed, round(skill * 1000)])  # equal weights make equal errors
            shift = 0.0 if task is tasks[0] else drawn.normal() * 0.1
            for run in SEEDS:
                job = _job(name, task, PROTOCOL, run)
                predicted = _predict(task, truth, difficulty - skill - shift, drawn)
                predictions[job.key] = Predicted(predicted)
                value = metrics[task.metric](truths[task.fingerprint], predicted)
                results.append(Result(job, Status.OK, value, {task.metric: value}, {"C": 0.1}, seconds=2.5))
            results += _estimates(name, task, skill, rng)
        results += [_other_modality(name, task) for name, *_ in others]
        results += _without_value(task)
    models = (*(_row(*model[:3]) for model in images + _TEXT_MODELS), _row(_NO_HEAD, 28.6, 33.0))
    settings = {"assay": "0.1.0", "seeds": "0, 1, 2", "device": "cpu", "methods": f"{PROTOCOL}, h_score, ..."}
    known = (tuple(results), tasks, models, predictions, truths, metrics, frozenset(SCORES), settings)
    return Evidence(*known, slices=_slices)


def _tasks() -> tuple[TaskFacts, ...]:
    classes = ("猫", "dog", "a class with a rather long name", "<b>bold</b>")
    image, text = Modality.IMAGE, Modality.TEXT
    kind = TaskKind.CLASSIFICATION
    note = ("12 test examples are also in train: they were left out.",)
    return (
        TaskFacts("folder:./photos", kind, image, "accuracy", classes, 1200, 300, 400, 0.25, "task-0", note),
        TaskFacts(
            _MAPS,
            kind,
            image,
            "accuracy",
            ("field", "forest", "water"),
            300,
            60,
            90,
            1 / 3,
            "task-1",
            slices=("season",),
        ),
        TaskFacts(_STARS, TaskKind.REGRESSION, text, "rmse", (), 900, 200, 250, -1.41, "task-2"),
    )


def _slices(task: TaskFacts) -> tuple[SliceColumn, ...]:
    """Return two large slices, one slice that is too small for intervals, and examples without a slice."""
    slice_of_example = np.repeat([0, 1, 2, -1], [40, 35, 6, 9])
    names = ("autumn", "spring", "<i>winter</i>")
    return tuple(SliceColumn(column, names, slice_of_example) for column in task.slices)


def _truth(task: TaskFacts, rng: np.random.Generator) -> np.ndarray:
    if task.kind is TaskKind.CLASSIFICATION:
        return rng.integers(len(task.classes), size=task.test_count)
    return np.asarray(rng.uniform(1, 5, size=task.test_count))


def _predict(
    task: TaskFacts, truth: np.ndarray, hardness: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return predictions whose errors depend on example difficulty, so that models make similar errors."""
    noise = rng.normal(size=len(truth))
    if task.kind is TaskKind.REGRESSION:
        return np.asarray(truth + np.exp(0.4 * hardness) * noise)
    wrong = hardness + 0.5 * noise > 0
    return np.where(wrong, rng.integers(len(task.classes), size=len(truth)), truth)


def _estimates(name: str, task: TaskFacts, skill: float, rng: np.random.Generator) -> list[Result]:
    estimates = [
        Result(_job(name, task, score, 0), Status.OK, skill + rng.normal() * noise, seconds=0.02)
        for score, noise in zip(SCORES, (0.9, 0.3, 0.1), strict=True)
        if score != "h_score" or task.kind is TaskKind.CLASSIFICATION
    ]
    if task.kind is not TaskKind.CLASSIFICATION:
        reason = "h_score needs classes; this task is a regression"
        estimates.append(Result(_job(name, task, "h_score", 0), Status.SKIPPED, reason=reason))
    return estimates


def _other_modality(name: str, task: TaskFacts) -> Result:
    reason = f"{OTHER_MODALITY}: the model does not read {task.modality}s"
    return Result(_job(name, task, PROTOCOL, 0), Status.SKIPPED, reason=reason)


def _without_value(task: TaskFacts) -> list[Result]:
    if task.modality is not Modality.IMAGE:
        return [_other_modality(_NO_HEAD, task), _other_modality(_BROKEN, task)]
    crash = (
        "Cannot load the weights: 12 tensors do not fit, the first is 'head.<weight>'. Check the revision."
    )
    out_of_memory = "Out of memory at batch 1 on 3 x 224 x 224. Use a smaller model, or another device."
    return [Result(_job(_BROKEN, task, PROTOCOL, run), Status.FAILED, reason=crash) for run in SEEDS] + [
        Result(_job(_NO_HEAD, task, PROTOCOL, run), Status.FAILED, reason=out_of_memory) for run in SEEDS
    ]


def _job(model: str, task: TaskFacts, method: str, seed: int) -> Job:
    key = f"{model}|{task.fingerprint}|{method}|{seed}"
    return Job(model, task.address, method, seed, key, task.fingerprint)


def _row(name: str, millions: float, milliseconds: float) -> ModelRow:
    parameters = round(millions * 1e6)
    is_text = name.startswith(("sentence", "hf", "vectors"))
    facts = ModelFacts(
        width=384,
        parameters=parameters,
        macs=None if name.startswith(("onnx", "vectors")) else parameters * 160,
        bytes=parameters * 4,
        input="256 tokens" if is_text else "3 x 224 x 224",
        preprocessing="mean over tokens"
        if is_text
        else "resize 256 bicubic, crop 224, ImageNet mean and deviation",
        source_classes=0 if is_text else 1000,
        weights="a simulation",
        fingerprint=f"{parameters:x}",
        licence="apache-2.0" if name.startswith("timm") else None,
    )
    return ModelRow(name, name, facts, milliseconds / 1e3)
