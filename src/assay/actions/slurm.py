"""Writes the script of a SLURM array that runs the shards of a study."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UsageError
from assay.core.limits import bytes_of

_RESERVE = 4  # times the predicted time: a queue ends a shard that exceeds its limit


class Resources(NamedTuple):
    """What SLURM gives each shard; None for its defaults.

    Attributes:
        memory: As in "32GB".
        seconds: How long the longest shard is predicted to take; it gets four times that, at least an hour.
    """

    cpus: int | None = None
    gpus: int | None = None
    memory: str | None = None
    seconds: float | None = None

    @property
    def time(self) -> str | None:
        """The time limit, in whole hours."""
        return None if self.seconds is None else f"{max(1, math.ceil(_RESERVE * self.seconds / 3600))}:00:00"


def slurm_script(
    study: Path, shards: int, folder: Path, resources: Resources, options: Sequence[str] = ()
) -> str:
    """Return a script for ``sbatch``. It contains no environment variables, and so no tokens.

    Args:
        study: The study file.
        shards: The number of shards.
        folder: The folder of the plan; logs are written to it.
        resources: What each shard gets.
        options: Options of ``assay run`` that the plan was made with.
    """
    width = len(str(shards))
    directives = {
        "job-name": f"assay-{study.stem}",
        "array": f"1-{shards}",
        "output": f"{str(folder.absolute()).replace('%', '%%')}/%{width}a.log",
        "cpus-per-task": resources.cpus,
        "gpus": resources.gpus,
        "time": resources.time,
        "mem": resources.memory and f"{math.ceil(bytes_of('memory_per_job', resources.memory) / 2**20)}M",
    }
    run = [sys.executable, "-m", "assay", "run", str(study), "--plan", str(folder), *options]
    lines = [
        "#!/bin/bash",
        *(
            f"#SBATCH --{name}={_quoted(str(value))}"
            for name, value in directives.items()
            if value is not None
        ),
        "set -eu",
        f"cd {_quoted(str(Path.cwd()))}",
        'export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"' if resources.cpus else "",
        f'exec {" ".join(map(_quoted, run))} --shard "$SLURM_ARRAY_TASK_ID/{shards}"',
    ]
    return "".join(f"{line}\n" for line in lines if line)


def _quoted(word: str) -> str:
    """Return a word for a shell; a line break would end the comment that a directive is."""
    if not word.isprintable():
        raise UsageError(f"{word!r} has a character that no script can hold. Rename it.")
    return shlex.quote(word)
