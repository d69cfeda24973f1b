"""Writes results as the model-index of a model card, which the Hugging Face hub shows beside a model."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from assay.core.errors import MissingPackage
from assay.core.task import Modality, TaskKind
from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.plugins.report import Report

_TASKS = {
    (Modality.IMAGE, TaskKind.REGRESSION): "other",
    (Modality.IMAGE, TaskKind.CLASSIFICATION): "image-classification",
    (Modality.IMAGE, TaskKind.MULTILABEL): "image-classification",
    (Modality.AUDIO, TaskKind.REGRESSION): "other",
    (Modality.AUDIO, TaskKind.CLASSIFICATION): "audio-classification",
    (Modality.AUDIO, TaskKind.MULTILABEL): "audio-classification",
    (Modality.TEXT, TaskKind.REGRESSION): "other",
    (Modality.TEXT, TaskKind.CLASSIFICATION): "text-classification",
    (Modality.TEXT, TaskKind.MULTILABEL): "text-classification",
    (Modality.TEXT, TaskKind.TOKENS): "token-classification",
}  # as the hub names them


class ModelIndex(Report):
    """YAML for the head of a README: one entry for each model, with its results on test.

    Estimates are no results of a model: a study that trained nothing gives an empty index.
    """

    suffix: ClassVar[str] = ".yaml"
    summary: ClassVar[str] = "model-index of a model card on the Hugging Face hub"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the index of every model with a value to ``path``, replacing what was there."""
        path.write_text(_yaml(comparison), encoding="utf-8")


def _yaml(comparison: Comparison) -> str:
    try:
        from huggingface_hub import CardData, EvalResult, ModelCardData
    except ImportError as error:
        raise MissingPackage("model_index", "huggingface_hub", is_extra=False) from error
    by_model: dict[str, list[EvalResult]] = {}
    for found in () if comparison.is_estimate else comparison.tasks:
        for one in found.standings:
            told = {**_of_task(found), "metric_name": f"{found.measure} by {comparison.ranked_by}"}
            value = -one.value if found.shown_negated else one.value  # RMSE is positive for readers
            by_model.setdefault(one.model, []).append(EvalResult(metric_value=value, **told))
    index = []
    for model in sorted(by_model):
        card = ModelCardData(model_name=model, eval_results=by_model[model])
        index += card.to_dict()["model-index"]
    text: str = CardData(**{"model-index": index}).to_yaml()
    return f"{text}\n"


def _of_task(found: TaskFindings) -> dict[str, str]:
    return {
        "task_type": _TASKS[found.task.modality, found.task.kind],
        "dataset_type": found.task.address,
        "dataset_name": found.task.address,
        "dataset_split": "test",
        "dataset_revision": found.task.fingerprint,
        "metric_type": found.measure,
    }
