"""A Hugging Face hub inside the process: its client speaks HTTP with it, and no socket is opened."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.utils import _http

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """Serves folders as repositories.

    Attributes:
        repositories: Folders by name, as in "org/name"; each has one commit, which is ``main``.
        gated: Those that nobody may have.
        cut: Files of which only half is sent, by name.
        asked: The paths that were asked for, in order.
    """

    repositories: dict[str, Path]
    gated: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Any, respond: Any) -> Any:
        """Answer as the hub does: files at /org/name/resolve/revision/file, with errors named in a header."""
        self.asked.append(request.url.path)
        parts = request.url.path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self._told("/".join(parts[2:4]), parts[4:], respond)
        name, (_, revision, *path) = "/".join(parts[:2]), parts[2:]
        refused = self._refusal(name, revision)
        file = self.repositories.get(name, Path()) / "/".join(path)
        if refused is None and not file.is_file():
            refused = (404, "EntryNotFound")
        if refused is not None:
            return respond(refused[0], headers={"X-Error-Code": refused[1]}, request=request)
        content = file.read_bytes()
        told = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        if request.method == "HEAD":
            return respond(200, headers={**told, "Content-Length": str(len(content))}, request=request)
        sent = content[: len(content) // 2] if file.name in self.cut else content
        return respond(200, headers=told, content=sent, request=request)

    def _told(self, name: str, rest: list[str], respond: Any) -> Any:
        refused = self._refusal(name, rest[1] if rest[:1] == ["revision"] else "main")
        if refused is not None:
            return respond(refused[0], headers={"X-Error-Code": refused[1]})
        if rest[:1] == ["tree"]:
            files = [file for file in self.repositories[name].iterdir() if file.is_file()]
            return respond(
                200, json=[{"type": "file", "path": one.name, "size": 1, "oid": "0"} for one in files]
            )
        siblings = [{"rfilename": file.name} for file in self.repositories[name].iterdir()]
        return respond(200, json={"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings})

    def _refusal(self, name: str, revision: str) -> tuple[int, str] | None:
        if name not in self.repositories:
            return 401, "RepoNotFound"
        if name in self.gated:
            return 403, "GatedRepo"
        return None if revision in ("main", COMMIT) else (404, "RevisionNotFound")


@contextmanager
def serving(hub: FakeHub, cache: Path) -> Iterator[None]:
    """Let the client of the hub speak with this one, and keep what it downloads in a cache of its own."""
    default = _http.default_client_factory
    http = importlib.import_module(type(_http.get_session()).__module__.partition(".")[0])
    transport = http.MockTransport(lambda request: hub.answer(request, http.Response))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        patch.setattr("assay.environment.hub_client._is_there", lambda host: True)  # no name is looked up
        _http.set_client_factory(lambda: http.Client(transport=transport, follow_redirects=True))
        try:
            yield
        finally:
            _http.set_client_factory(default)
