"""The resources of an evaluation on a node, and how many evaluations fit on a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from assay.core.errors import UsageError


class Needs(NamedTuple):
    """What an evaluation needs.

    Attributes:
        gpus: None if the device of the evaluations decides.
        memory: In bytes; None if what is expected of each evaluation decides.
        time_limit: Seconds per job; None for no limit.
    """

    cpus: float
    gpus: float | None
    memory: int | None
    time_limit: float | None

    @property
    def threads(self) -> int:
        """The number of threads of an evaluation."""
        return max(1, int(self.cpus))

    def on(self, device: str) -> Needs:
        """Return the needs of evaluations on a device."""
        if self.gpus is not None:
            return self
        return self._replace(gpus=1.0 if device.startswith("cuda") else 0.0)

    def options(self, expected: int, nodes: Iterable[Mapping[str, Any]]) -> dict[str, float]:
        """Return the resources as options of a Ray task.

        Args:
            expected: The bytes that the evaluation is expected to take: at most what the largest node has,
                for a guess must not keep it from running. 0 if that is unknown.
            nodes: The nodes, as Ray lists them.
        """
        memory = self.memory
        if memory is None and expected:
            memory = min(expected, int(max(map(_memory, filter(self._runs_on, nodes)), default=0.0)))
        counted = {"memory": memory} if memory else {}
        return {"num_cpus": self.cpus, "num_gpus": self.gpus or 0.0, **counted}

    def _runs_on(self, node: Mapping[str, Any]) -> bool:
        has = node["Resources"].get
        return bool(node["Alive"] and has("CPU", 0.0) >= self.cpus and has("GPU", 0.0) >= (self.gpus or 0.0))

    def room(self, nodes: Iterable[Mapping[str, Any]]) -> int:
        """Return how many evaluations fit on the nodes at once.

        >>> Needs(1, 0.5, None, None).room([{"Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0}}])
        4
        """
        wanted = {"CPU": self.cpus, "GPU": self.gpus or 0.0, "memory": self.memory or 0}
        return sum(
            int(min(node["Resources"].get(name, 0.0) / each + 1e-6 for name, each in wanted.items() if each))
            for node in nodes
            if node["Alive"]
        )

    def refusal(self, nodes: Iterable[Mapping[str, Any]]) -> UsageError:
        """Return the message for the case that no node has room."""
        wanted = [f"{self.cpus:g} CPU"]
        wanted += [f"{self.gpus:g} GPU"] if self.gpus else []
        wanted += [f"{self.memory / 1e9:.1f} GB of memory"] if self.memory else []
        have = [
            f"{node['NodeName']}: {node['Resources'].get('CPU', 0):g} CPU, "
            f"{node['Resources'].get('GPU', 0):g} GPU, {_memory(node) / 1e9:.1f} GB"
            for node in nodes
            if node["Alive"]
        ]
        return UsageError(
            f"No node has room for an evaluation, which needs {' and '.join(wanted)} "
            f"({'; '.join(have) or 'there are no nodes'}). Write less for cpus_per_job, gpus_per_job or "
            "memory_per_job, or workers=N if nodes join when there is work."
        )


def _memory(node: Mapping[str, Any]) -> float:
    return float(node["Resources"].get("memory", 0))
