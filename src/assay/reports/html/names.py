"""Short names of models and tasks in a page, linked to the full addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from assay.findings.comparison import Comparison
from assay.wording.short_names import report_names, short_names


@dataclass(frozen=True, slots=True)
class Names:
    """The short name and the number of each model by its address, and the short name of each task.

    >>> names = Names({"timm:resnet18": "timm:resnet18"}, {"timm:resnet18": 1})
    >>> names.linked("Take timm:resnet18 & go.")
    Markup('Take <a class="model" href="#m1">timm:resnet18</a> &amp; go.')
    """

    labels: Mapping[str, str]
    numbers: Mapping[str, int]
    tasks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, comparison: Comparison) -> Names:
        """Name all models of a comparison, in the order of their addresses."""
        labels = report_names(comparison)
        numbers = {address: number for number, address in enumerate(labels, start=1)}
        tasks = short_names([findings.task.address for findings in comparison.tasks])
        return cls(labels, numbers, tasks)

    def label(self, address: str) -> str:
        """Return the short name of a model; any other text is returned unchanged."""
        return self.labels.get(address, address)

    def task(self, address: str) -> str:
        """Return the short name of a task."""
        return self.tasks.get(address, address)

    def link(self, address: str) -> Markup:
        """Return the short name of a model as a link to the row with the full address, or that of a task."""
        number, label = self.numbers.get(address), self.label(self.task(address))
        if number is None:
            return escape(label)
        return Markup('<a class="model" href="#m{}">{}</a>').format(number, breakable(label))

    def linked(self, sentence: str) -> Markup:
        """Return a sentence with every model in it as a link, and every task by its short name."""
        parts = self._split(sentence)
        return Markup("").join(
            self.link(part) if position % 2 else escape(part) for position, part in enumerate(parts)
        )

    def _split(self, sentence: str) -> list[str]:
        """Return the parts of a sentence: text and address in turn."""
        if not self.labels:
            return [sentence]
        longest_first = sorted((*self.labels, *self.tasks), key=len, reverse=True)
        return re.split(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)", sentence)


def breakable(name: str) -> Markup:
    """Return a name that a narrow column may break after - _ / and . and in its arguments only.

    The parts have six letters or more: fewer breaks keep a large page small.
    """
    parts = re.findall(r".{5,}?(?:[-_/.=](?=[^-_/.=])|(?=\())|.+", name, re.DOTALL)
    return Markup("<wbr>").join(parts)
