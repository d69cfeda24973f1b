"""The frozen plan of a study in shards: its data and versions, and the jobs of each shard."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import UsageError
from assay.core.paths import regular_bytes
from assay.core.task import SplitName, Task
from assay.core.validation import is_typed
from assay.environment.atomic_file import written_whole

_FILE, _VERSION = "plan.json", 1
_NAMED = 3  # examples that a difference names


class FrozenTask(NamedTuple):
    """The data of a task when it was planned.

    Attributes:
        address: Where it is loaded from.
        fingerprint: The hash of its examples, labels and splits.
        metric: Its main metric.
        counts: The number of examples of each split.
        digests: The hashes of the contents of their examples (uint64, base64); empty if they are unknown.
    """

    address: str
    fingerprint: str
    metric: str
    counts: Mapping[str, int]
    digests: Mapping[str, str]

    @classmethod
    def of(cls, task: Task) -> FrozenTask:
        """Return what is kept of a task."""
        splits = {str(name): task.split(name) for name in SplitName}
        return cls(
            task.address,
            task.fingerprint,
            task.metric,
            {name: len(split) for name, split in splits.items()},
            {
                name: ""
                if split.digests is None
                else base64.b64encode(split.digests.astype("<u8").tobytes()).decode("ascii")
                for name, split in splits.items()
            },
        )

    def known(self, name: SplitName) -> tuple[int, np.ndarray]:
        """Return the number of examples of a split, and the hashes of their contents, if they are known."""
        content = base64.b64decode(self.digests[name], validate=True)
        return self.counts[name], np.frombuffer(content, "<u8")

    def difference(self, task: Task) -> str:
        """Return how a task differs from the one that was planned, with examples; empty if it does not."""
        if (task.fingerprint, task.metric) == (self.fingerprint, self.metric):
            return ""
        if task.metric != self.metric:
            return f"it is judged by {task.metric} instead of {self.metric}"
        parts = [part for name in SplitName if (part := self._difference(task, name))]
        return "; ".join(parts) or "its labels or classes differ, and its examples do not"

    def _difference(self, task: Task, name: SplitName) -> str:
        split, (planned, known) = task.split(name), self.known(name)
        counts = f"{name} has {len(split):,} examples instead of {planned:,}" if len(split) != planned else ""
        if split.digests is None or not len(known):
            return counts
        new = np.flatnonzero(~np.isin(split.digests, known))
        lacking = int((~np.isin(known, split.digests)).sum())
        names = ", ".join(f"'{split.examples.name(int(row))}'" for row in new[:_NAMED])
        changed = (
            f"{len(new):,} new or changed ({names}{', ...' if len(new) > _NAMED else ''})" if names else ""
        )
        gone = f"{lacking:,} missing" if lacking else ""
        both = " and ".join(filter(None, (changed, gone)))
        return ": ".join(filter(None, (counts or (both and str(name)), both)))


class PlannedEvaluation(NamedTuple):
    """The jobs of one model on one task that a shard runs."""

    model: str
    task: str
    keys: tuple[str, ...]


class Shard(NamedTuple):
    """What one shard runs, and how long that is predicted to take."""

    seconds: float
    evaluations: tuple[PlannedEvaluation, ...]


class Manifest(NamedTuple):
    """The frozen plan of a study in shards.

    Attributes:
        versions: The packages that it was planned with.
        models: The identity of each model, by its address.
        tasks: The tasks.
        shards: What each shard runs.
    """

    versions: Mapping[str, str]
    models: Mapping[str, str]
    tasks: tuple[FrozenTask, ...]
    shards: tuple[Shard, ...]

    def save(self, folder: Path) -> None:
        """Write the one file of a plan, whole, with its checksum."""
        plan = {
            "versions": dict(self.versions),
            "models": dict(self.models),
            "tasks": [task._asdict() for task in self.tasks],
            "shards": [
                {"seconds": shard.seconds, "evaluations": [each._asdict() for each in shard.evaluations]}
                for shard in self.shards
            ],
        }
        written = {"version": _VERSION, "checksum": _checksum(plan), "plan": plan}
        try:
            with written_whole(folder / _FILE, fsync=True) as file:
                file.write(json.dumps(written).encode())
        except OSError as error:
            raise UsageError(
                f"Cannot write '{folder / _FILE}': {error.strerror}. Name another folder with --out."
            ) from error


def read_manifest(folder: Path) -> Manifest:
    """Return the plan in a folder.

    Raises:
        UsageError: There is none, or it is damaged.
    """
    path = folder / _FILE
    try:
        written = json.loads(regular_bytes(path))
        if written["version"] == _VERSION and written["checksum"] == _checksum(written["plan"]):
            return _manifest(written["plan"])
    except OSError as error:
        raise UsageError(
            f"There is no plan '{path}' ({error.strerror}). Write one with: assay plan study.toml --shards "
            "20, or name its folder with --plan."
        ) from error
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        pass
    raise UsageError(
        f"The plan '{path}' does not match its checksum, is of another version, or holds something else. "
        "Plan again: assay plan."
    )


def _manifest(written: Any) -> Manifest:
    """Return the plan in JSON; raise ``ValueError`` if it is none."""
    manifest = Manifest(
        versions=written["versions"],
        models=written["models"],
        tasks=tuple(FrozenTask(**task) for task in written["tasks"]),
        shards=tuple(
            Shard(
                shard["seconds"],
                tuple(
                    PlannedEvaluation(each["model"], each["task"], tuple(each["keys"]))
                    for each in shard["evaluations"]
                ),
            )
            for shard in written["shards"]
        ),
    )
    evaluations = [each for shard in manifest.shards for each in shard.evaluations]
    tasks = {task.address for task in manifest.tasks}
    if not all(map(is_typed, (manifest, *manifest.tasks, *manifest.shards, *evaluations))):
        raise ValueError("a field has another type")
    if not all(each.model in manifest.models and each.task in tasks for each in evaluations):
        raise ValueError("a model or task is not in the plan")
    for task in manifest.tasks:
        for name in SplitName:
            task.known(name)
    return manifest


def _checksum(plan: object) -> str:
    return hashlib.blake2b(json.dumps(plan, sort_keys=True).encode(), digest_size=16).hexdigest()
