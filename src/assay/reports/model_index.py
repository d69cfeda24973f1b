"""Writes results as the model-index of a model card for the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from assay.core.errors import MissingPackage
from assay.core.task import TaskKind
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.plugins.report import Report
from assay.wording.exported import exported_names


class ModelIndex(Report):
    """YAML for the head of a README: one entry for each model, with its results on test.

    Estimates are not results of a model, so a study that trained nothing gives an empty index.

    >>> from assay.testing.reports import rendered
    >>> rendered(ModelIndex()).decode().splitlines()[:2]
    ['model-index:', '- name: hf:google-bert/bert-base-uncased']
    """

    suffix: ClassVar[str] = ".yaml"
    summary: ClassVar[str] = "model-index of a model card on the Hugging Face hub"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the index of every model with a value to ``path``, replacing any existing file."""
        with replacing_text(path) as file:
            file.write(_yaml(comparison))


def _yaml(comparison: Comparison) -> str:
    try:
        from huggingface_hub import CardData, EvalResult, ModelCardData
    except ImportError as error:
        raise MissingPackage("model_index", "huggingface_hub", is_extra=False) from error
    names = exported_names(comparison)
    by_model: dict[str, list[EvalResult]] = {}
    for findings in () if comparison.is_estimate else comparison.tasks:
        fields = {
            **_of_task(findings, names[findings.task.address]),
            "metric_name": f"{findings.measure} by {comparison.ranked_by}",
        }
        for standing in findings.standings:
            value = -standing.value if findings.shown_negated else standing.value  # RMSE is shown positive
            by_model.setdefault(names[standing.model], []).append(EvalResult(metric_value=value, **fields))
    index = []
    for model in sorted(by_model):
        card = ModelCardData(model_name=model, eval_results=by_model[model])
        index += card.to_dict()["model-index"]
    text: str = CardData(**{"model-index": index}).to_yaml()
    return f"{text}\n"


def _of_task(findings: TaskFindings, name: str) -> dict[str, str]:
    task = findings.task
    types = {TaskKind.REGRESSION: "other", TaskKind.TOKENS: "token-classification"}  # as the hub names them
    return {
        "task_type": types.get(task.kind, f"{task.modality}-classification"),
        "dataset_type": name,
        "dataset_name": name,
        "dataset_split": "test",
        "dataset_revision": task.fingerprint,
        "metric_type": findings.measure.partition(" of '")[0],
    }
