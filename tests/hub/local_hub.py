"""A hub on loopback for tests, and the command line in fresh processes that know no other."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True)
class LocalHub:
    """A hub that serves the repositories of a folder.

    Attributes:
        root: The folder, which ``server.py`` describes.
        endpoint: Its address.
    """

    root: Path
    endpoint: str

    def add(self, repository: str, files: Mapping[str, bytes] | Path, ref: str = "main", **facts: Any) -> str:
        """Commit files to a branch or tag of a repository, and return the commit.

        Args:
            repository: As in "models/org/name".
            files: The contents by path, or the folder that holds them.
            ref: The branch or tag.
            facts: ``private``, ``gated``, ``granted``, ``moved``.
        """
        served = contents(files) if isinstance(files, Path) else files
        digest = hashlib.sha1(ref.encode(), usedforsecurity=False)
        for path, content in sorted(served.items()):
            digest.update(path.encode() + content)
        commit = digest.hexdigest()
        for path, content in served.items():
            file = self.root / "files" / repository / commit / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        known = self._read("repositories.json", {})
        earlier = known.get(repository, {"refs": {}, "earlier": []})
        refs = {"main": commit, **earlier["refs"], ref: commit}
        known[repository] = {**earlier, **facts, "refs": refs, "earlier": [*earlier["earlier"], commit]}
        self._write("repositories.json", known)
        return commit

    def change(self, repository: str, **facts: Any) -> None:
        """Change whether a repository is private, gated, granted or moved."""
        known = self._read("repositories.json", {})
        known[repository] = {"refs": {}, "earlier": [], **known.get(repository, {}), **facts}
        self._write("repositories.json", known)

    def commit(self, repository: str, ref: str = "main") -> str:
        """Return the commit of a branch or tag."""
        return str(self._read("repositories.json", {})[repository]["refs"][ref])

    def break_off(self, *faults: Mapping[str, Any]) -> None:
        """Let requests fail: a fault has a ``path``, how many ``times``, a ``status`` or where to ``cut``."""
        self._write("faults.json", list(faults))

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last call."""
        log = self.root / "log.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [json.loads(line) for line in lines]

    def assay(self, home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in a fresh process.

        Args:
            home: The folder of all caches, and of the store.
            arguments: Of the command line.
            variables: More of the environment, such as HF_TOKEN.
        """
        return self.python(home, "-m", "assay", *arguments, **variables)

    def python(self, home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python in a fresh process."""
        home.mkdir(exist_ok=True)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))
        }
        environment = {
            **kept, "PYTHONPATH": str(SOURCE), "HOME": str(home), "HF_HOME": str(home / "hf"),
            "TORCH_HOME": str(home / "torch"), "HF_ENDPOINT": self.endpoint, "COLUMNS": "200", **variables,
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            cwd=home,
            env=environment,
            check=False,
        )

    def _read(self, name: str, default: Any) -> Any:
        path = self.root / name
        return json.loads(path.read_text()) if path.exists() else default

    def _write(self, name: str, value: Any) -> None:
        new = self.root / f"{name}.new"
        new.write_text(json.dumps(value))
        new.rename(self.root / name)


@contextmanager
def serving(root: Path) -> Iterator[LocalHub]:
    """Serve a folder from a process of its own: sockets are closed to the tests."""
    root.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([sys.executable, Path(__file__).with_name("server.py"), root])
    try:
        port = root / "port"
        while not port.exists():
            if server.poll() is not None:
                raise RuntimeError("the hub of the tests ended")
            time.sleep(0.01)
        yield LocalHub(root, f"http://127.0.0.1:{port.read_text()}")
    finally:
        server.kill()
        server.wait()


def contents(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files below a folder, by path."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
