"""Command lines that run one after the other: the first in a fresh process, the others in forks of it.

``python commands.py`` reads requests as lines of JSON, with arguments and variables, and answers each with a
line: what was printed, and the exit code. Nothing is loaded before the first; the forks have its libraries
and those of ``rank``, which take most of the time of a process, and no memory of what the hub said.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SOURCE = Path(__file__).resolve().parents[2] / "src"
_OF_RANK = (
    "assay.cli.output",
    "assay.protocols.knn",
    "assay.reports.html.page",
    "altair",
    "sklearn.neighbors",
)
_LONGEST = 300  # seconds of a fork: what a library locked in the first process stays locked there


class Ran(NamedTuple):
    """What a command line printed, and its exit code."""

    stdout: str
    stderr: str
    code: int


class Commands:
    """Runs command lines in a process.

    Args:
        process: One that runs this file.
        home: The folder of all caches, and of the store.
    """

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self._process, self.home = process, home

    def assay(self, *arguments: str, **variables: str) -> Ran:
        """Run ``assay`` with arguments, and with more variables of the environment, such as HF_TOKEN."""
        return self._ran({"arguments": arguments, "variables": variables})

    def python(self, file: Path, *arguments: str, **variables: str) -> Ran:
        """Run a file of Python."""
        return self._ran({"file": str(file), "arguments": arguments, "variables": variables})

    def _ran(self, request: Mapping[str, Any]) -> Ran:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        return Ran(*json.loads(self._process.stdout.readline()))


@contextmanager
def commands(home: Path, **variables: str) -> Iterator[Commands]:
    """Start the process in which command lines run, with no variable of the user that concerns a hub."""
    home.mkdir(exist_ok=True)
    of_users = ("HF_", "TRANSFORMERS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(of_users)}
    environment = {
        **kept, "PYTHONPATH": str(SOURCE), "HOME": str(home), "HF_HOME": str(home / "hf"), "COLUMNS": "200",
        "TORCH_HOME": str(home / "torch"), **variables,
        "OMP_NUM_THREADS": "1",  # forks wait for ever for threads of OpenMP, which stay in the first process
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home, env=environment,
    ) as process:  # fmt: skip
        try:
            yield Commands(process, home)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        if number == 1:
            for name in _OF_RANK:
                importlib.import_module(name)
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            files = (stdout.fileno(), stderr.fileno())
            code = _run(request, *files) if number == 0 else _forked(request, *files)
            said = []
            for file in (stdout, stderr):
                file.seek(0)
                said.append(file.read().decode(errors="replace"))
        answers.write(f"{json.dumps([*said, code])}\n")
        answers.flush()
    os._exit(0)  # what libraries do at exit takes seconds


def _forked(request: Mapping[str, Any], stdout: int, stderr: int) -> int:
    code = 1
    child = os.fork()
    if child == 0:
        signal.alarm(_LONGEST)
        try:
            for name in ("assay.environment.hub_client", "assay.environment.offline"):
                for value in vars(sys.modules.get(name, sys)).values():
                    getattr(value, "cache_clear", int)()
            code = _run(request, stdout, stderr)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(request: Mapping[str, Any], stdout: int, stderr: int) -> int:
    """Run a command line, with its streams and its environment, and return its exit code."""
    before, kept = dict(os.environ), [os.dup(1), os.dup(2)]
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.environ.update(request["variables"])
    sys.argv = [request.get("file", "assay"), *request["arguments"]]
    try:
        if "file" in request:
            import runpy

            runpy.run_path(request["file"], run_name="__main__")
        else:
            from assay.cli.main import main

            main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # what the interpreter would print
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for old, number in zip(kept, (1, 2), strict=True):
            os.dup2(old, number)
            os.close(old)
        os.environ.clear()
        os.environ.update(before)
    return 0


if __name__ == "__main__":
    _main()
