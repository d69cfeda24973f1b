"""What stands on top: the answer for each modality, and the models that are as good."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.task import Modality
from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow
from assay.reports.html.names import Names

MOST_CHOICES = 8  # the answer must fit on a screen; the tables below tell the other ties


@dataclass(frozen=True, slots=True)
class Choice:
    """A model that may be taken, with what it costs.

    Attributes:
        is_smallest: None of the others that may be taken has fewer parameters.
    """

    address: str
    model: ModelRow | None
    is_taken: bool
    is_smallest: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one modality: a sentence, then the models that may be taken, the recommended first.

    Attributes:
        choices: The first few, and a smallest one.
        hidden: How many more are tied.
    """

    sentence: str
    choices: tuple[Choice, ...]
    hidden: int = 0


def decisions(comparison: Comparison, names: Names) -> list[Decision]:
    """Return the answers, in the order of the headline."""
    modalities = [one for one in Modality if any(task.task.modality == one for task in comparison.tasks)]
    found = []
    for place, sentence in enumerate(comparison.headline):
        taken = names.named(sentence)[:1]
        tied = _tied(comparison, modalities[place]) if place < len(modalities) and taken else []
        choices = _choices(comparison, [*taken, *tied])
        shown = choices[:MOST_CHOICES]
        if not any(one.is_smallest for one in shown):
            shown += tuple(one for one in choices if one.is_smallest)[:1]
        found.append(Decision(sentence, shown, len(choices) - len(shown)))
    return found


def _tied(comparison: Comparison, modality: Modality) -> list[str]:
    """Return the pretrained models that are not told from the best: across tasks, or on the only one."""
    across = [one for one in comparison.across if one.modality == modality]
    tasks = [one for one in comparison.tasks if one.task.modality == modality]
    general = [
        one.model
        for of in across
        for place, one in enumerate(of.models)
        if one.is_tied_best or (place == 0 and one.is_tied_best is None)
    ]
    on_task = [one.model for one in tasks[0].standings if one.is_tied_best] if len(tasks) == 1 else []
    random = {row.address for row in comparison.models if row.facts.is_random}
    return [model for model in general or on_task if model not in random]


def _choices(comparison: Comparison, addresses: list[str]) -> tuple[Choice, ...]:
    models = {row.address: row for row in comparison.models}
    listed = list(dict.fromkeys(addresses))
    sizes = [models[one].facts.parameters for one in listed if one in models]
    return tuple(
        Choice(
            address,
            models.get(address),
            is_taken=place == 0,
            is_smallest=address in models and models[address].facts.parameters == min(sizes),
        )
        for place, address in enumerate(listed)
    )
