"""A hub for tests, on loopback or inside the process."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.hub.repositories import Hub, Request, answer

HOSTS = ("download.pytorch.org", "storage.googleapis.com")  # whose weights it serves as a proxy


@dataclass(frozen=True)
class LocalHub:
    """A hub that serves the repositories of a folder.

    Attributes:
        root: The folder, which ``server.py`` describes.
        port: Where it listens on loopback; 0 if it does not.
        server: Its process.
    """

    root: Path
    port: int = 0
    server: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End its process."""
        assert self.server is not None
        self.server.kill()
        self.server.wait()

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

    def certify(self) -> Path:
        """Make the certificate that it shows as a proxy for the hosts, and return it."""
        certificate = self.root / "certificate.pem"
        names = ",".join(f"DNS:{host}" for host in HOSTS)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=tests", "-addext", f"subjectAltName={names}", "-days", "2",
             "-keyout", self.root / "key.pem", "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        return certificate

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last call."""
        log = self.root / "log.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [json.loads(line) for line in lines]

    def hosts(self) -> set[str]:
        """Return the hosts with which clients wanted to speak through it as a proxy."""
        return set((self.root / "hosts").read_text().split())

    def _read(self, name: str, default: Any) -> Any:
        path = self.root / name
        return json.loads(path.read_text()) if path.exists() else default

    def _write(self, name: str, value: Any) -> None:
        new = self.root / f"{name}.new"
        new.write_text(json.dumps(value))
        new.rename(self.root / name)


@contextmanager
def serving(root: Path, port: int = 0) -> Iterator[LocalHub]:
    """Serve a folder from a process of its own: sockets are closed to the tests."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "port").unlink(missing_ok=True)
    server = subprocess.Popen([sys.executable, Path(__file__).with_name("server.py"), root, str(port)])
    try:
        while not (root / "port").exists():
            if server.poll() is not None:
                raise RuntimeError("the hub of the tests ended")
            time.sleep(0.01)
        yield LocalHub(root, int((root / "port").read_text()), server)
    finally:
        server.kill()
        server.wait()


@contextmanager
def inside(hub: LocalHub, cache: Path) -> Iterator[None]:
    """Let the hub's client in this process speak with a hub, with no socket, and fill a cache of its own."""
    from huggingface_hub.utils import _http

    from assay.environment import hub_client

    hub_client._commit.cache_clear()  # it is kept for a minute
    served = Hub(hub.root)
    default = _http.default_client_factory
    http = importlib.import_module(type(_http.get_session()).__module__.partition(".")[0])

    def respond(asked: Any) -> Any:
        request = Request(asked.method, asked.url.raw_path.decode(), asked.headers, asked.read().decode())
        found = answer(served, request)
        length = {"Content-Length": str(len(found.content))}
        content = b"" if asked.method == "HEAD" else found.content[: found.cut]
        return http.Response(
            found.status, headers=found.headers | length, stream=http.ByteStream(content), request=asked
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        patch.setattr("assay.environment.hub_client._is_there", lambda host: True)  # no name is looked up
        patch.setenv("HF_TOKEN", "")
        _http.set_client_factory(
            lambda: http.Client(transport=http.MockTransport(respond), follow_redirects=True)
        )
        try:
            yield
        finally:
            _http.set_client_factory(default)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files below a folder, by path."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
