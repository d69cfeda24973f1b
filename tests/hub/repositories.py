"""What a hub of our own answers, which speaks as that of Hugging Face does.

A folder says what is there, and may change at any time. ``repositories.json`` holds of each repository, as in
"models/org/name", the commits of its branches and tags, and whether it is private, gated or moved; ``files``
its files by commit; ``web`` files of other hosts; ``faults.json`` what goes wrong for how many requests. Each
request becomes a line of ``log.jsonl``. A token that works is "hf_valid"; it opens private repositories, and
gated ones only where "granted".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_valid"  # of nobody
_LARGE = (".safetensors", ".bin", ".parquet", ".png")  # files that the real hub redirects to its CDN
_KINDS = ("models", "datasets")


class Refused(Exception):  # it is an answer
    """An answer with an error.

    Attributes:
        status: The status of HTTP.
        code: What the header X-Error-Code says.
        message: The message in words.
    """

    def __init__(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        self.status, self.code, self.message, self.headers = status, code, message, headers


class Hub:
    """What a folder says about repositories and faults."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.happened: dict[str, int] = {}  # how often each fault did

    def read(self, name: str) -> Any:
        """Return what one of the files of the folder holds."""
        path = self.root / name
        return json.loads(path.read_text()) if path.exists() else {}

    def fault(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the first fault left for a request; it happens once more now."""
        for number, fault in enumerate(self.read("faults.json") or []):
            key = f"{number} {json.dumps(fault)}"
            if not re.search(fault["path"], path) or method not in fault.get("methods", [method]):
                continue
            if self.happened.get(key, 0) < fault.get("times", 1_000_000):
                self.happened[key] = self.happened.get(key, 0) + 1
                return dict(fault)
        return None

    def opened(self, kind: str, name: str, token: str | None) -> dict[str, Any]:
        """Return a repository that may be seen with a token."""
        found = self.read("repositories.json").get(f"{kind}/{name}")
        if token not in (None, TOKEN):
            raise Refused(401, "", "Invalid credentials in Authorization header")
        if found is None or (found.get("private") and token is None):
            raise Refused(401 if token is None else 404, "RepoNotFound", "Repository not found")
        return dict(found)

    def commit(self, repository: dict[str, Any], revision: str) -> str:
        """Return the commit of a revision."""
        refs = repository["refs"]
        if revision in refs:
            return str(refs[revision])
        if revision in refs.values() or revision in repository.get("earlier", []):
            return revision
        raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")

    def files(self, kind: str, name: str, commit: str) -> dict[str, Path]:
        """Return the files of a commit by path."""
        root = self.root / "files" / kind / name / commit
        return {file.relative_to(root).as_posix(): file for file in sorted(root.rglob("*")) if file.is_file()}


class Request(NamedTuple):
    """What a client sends.

    Attributes:
        method: As in "GET".
        target: The path with what follows it.
        headers: The headers; the case of their names does not count.
        body: Text.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: str = ""

    @property
    def token(self) -> str | None:
        """The token that came along."""
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None


class Answer(NamedTuple):
    """What is sent back.

    Attributes:
        status: The status of HTTP.
        content: The bytes.
        headers: The headers beside Content-Length.
        cut: After how many bytes it breaks off; None for never.
    """

    status: int
    content: bytes
    headers: dict[str, str]
    cut: int | None = None


def answer(hub: Hub, request: Request) -> Answer:
    """Return what the hub answers; the request becomes a line of the log."""
    path = unquote(urlsplit(request.target).path)
    try:
        found = _Finding(hub, request).found(path, hub.fault(request.method, path) or {})
    except Refused as refused:
        named = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
        told = {name: value for name, value in named.items() if value} | refused.headers
        found = Answer(refused.status, json.dumps({"error": refused.message}).encode(), told)
    line = {
        "method": request.method, "path": request.target, "status": found.status, "token": request.token,
        "range": request.headers.get("Range"), "host": request.headers.get("Host"),
    }  # fmt: skip
    with (hub.root / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    return found


class _Finding:
    """Finds what a request asks for."""

    def __init__(self, hub: Hub, request: Request) -> None:
        self.hub, self.request = hub, request

    def found(self, path: str, fault: dict[str, Any]) -> Answer:
        """Return the answer, or raise the refusal; a fault may ask for either."""
        if "status" in fault:
            raise Refused(fault["status"], "", fault.get("message", "it broke"), **fault.get("headers", {}))
        return self._find(path)._replace(cut=fault.get("cut"))

    def _find(self, path: str) -> Answer:
        parts = path.strip("/").split("/")
        if parts[0] == "cdn":
            file = self.hub.root / "files" / "/".join(parts[1:])
            return self._send_file(file, {"ETag": f'"{_digest(file)}"'})
        if parts[:2] == ["api", "whoami-v2"]:
            if self.request.token != TOKEN:
                raise Refused(401, "", "Invalid username or password.")
            return _as_json({"name": "me", "type": "user", "orgs": []})
        if parts[0] == "api" and len(parts) == 2 and parts[1] in _KINDS:
            return _as_json(self._searched(parts[1]))
        if parts[0] == "api" and len(parts) > 2 and parts[1] in _KINDS:
            return self._told(parts[1], parts[2:])
        if "resolve" in parts:
            kind = parts.pop(0) if parts[0] in _KINDS else "models"
            at = parts.index("resolve")
            return self._resolved(kind, "/".join(parts[:at]), parts[at + 1], "/".join(parts[at + 2 :]))
        if parts[0] == "web":
            return self._send_file(self.hub.root / "/".join(parts), {})
        raise Refused(404, "", "Not Found")

    def _searched(self, kind: str) -> list[dict[str, Any]]:
        """Return the public repositories of an author, or whose names hold what is searched for."""
        asked = parse_qs(urlsplit(self.request.target).query)
        start, word = asked.get("author", [""])[0], asked.get("search", [""])[0]
        known = self.hub.read("repositories.json").items()
        names = [
            name.partition("/")[2] for name, one in known if name.startswith(kind) and not one.get("private")
        ]
        return [{"id": name, "tags": []} for name in names if name.startswith(start) and word in name]

    def _told(self, kind: str, parts: list[str]) -> Answer:
        verbs = ("revision", "tree", "paths-info", "refs", "resolve")
        at = next((place for place, part in enumerate(parts) if part in verbs), len(parts))
        name, verb, rest = "/".join(parts[:at]), parts[at] if at < len(parts) else "", parts[at + 1 :]
        self._moved(kind, name)
        repository = self.hub.opened(kind, name, self.request.token)
        if verb == "refs":
            branches = [
                {"name": ref, "ref": ref, "targetCommit": sha} for ref, sha in repository["refs"].items()
            ]
            return _as_json({"branches": branches, "tags": [], "converts": []})
        commit = self.hub.commit(repository, rest[0] if rest else "main")
        files = self.hub.files(kind, name, commit)
        if verb == "tree":
            below = "/".join(rest[1:])
            asked = parse_qs(urlsplit(self.request.target).query)
            entries = _tree(files, below, recursive="true" in asked.get("recursive", []))
            if below and not entries:
                raise Refused(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": commit})
            return _as_json(entries)
        if verb == "paths-info":
            body = self.request.body
            wanted = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body).get("paths", [])
            return _as_json([entry for path in wanted for entry in _entries(files, path)])
        return _as_json(
            {
                "id": name, "modelId": name, "sha": commit, "private": bool(repository.get("private")),
                "gated": "manual" if repository.get("gated") else False, "disabled": False, "tags": [],
                "downloads": repository.get("downloads", 0), "likes": 0,
                "createdAt": "2024-05-06T07:08:09.000Z", "cardData": {"license": repository.get("licence")},
                "siblings": [
                    {"rfilename": path, "size": file.stat().st_size} for path, file in files.items()
                ],
            }
        )  # fmt: skip

    def _resolved(self, kind: str, name: str, revision: str, path: str) -> Answer:
        self._moved(kind, name)
        token = self.request.token
        repository = self.hub.opened(kind, name, token)
        if repository.get("gated") and not (token and repository.get("granted")):
            message = f"Access to {name} is restricted and you are not in the authorized list."
            raise Refused(403 if token else 401, "GatedRepo", message)
        commit = self.hub.commit(repository, revision)
        file = self.hub.files(kind, name, commit).get(path)
        told = {"X-Repo-Commit": commit}
        if file is None:
            raise Refused(404, "EntryNotFound", "Entry not found", **told)
        digest = _digest(file)
        if file.suffix not in _LARGE:
            return self._send_file(file, told | {"ETag": f'"{digest}"'})
        elsewhere = self.request.headers["Host"].replace("127.0.0.1", "localhost")  # which must see no token
        location = f"http://{elsewhere}/cdn/{kind}/{name}/{commit}/{path}"
        linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(file.stat().st_size)}
        return Answer(302, b"", told | linked | {"Location": location})

    def _moved(self, kind: str, name: str) -> None:
        moved = self.hub.read("repositories.json").get(f"{kind}/{name}", {}).get("moved")
        if moved:
            raise Refused(307, "", "", Location=self.request.target.replace(name, moved, 1))

    def _send_file(self, file: Path, told: dict[str, str]) -> Answer:
        if not file.is_file():
            raise Refused(404, "EntryNotFound", "Entry not found")
        content = file.read_bytes()
        told = told | {"Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.request.headers.get("Range") or "")
        if wanted is None:
            return Answer(200, content, told)
        start, end = int(wanted[1]), int(wanted[2] or len(content) - 1)
        if start >= len(content):
            return Answer(416, b"", told | {"Content-Range": f"bytes */{len(content)}"})
        told["Content-Range"] = f"bytes {start}-{min(end, len(content) - 1)}/{len(content)}"
        return Answer(206, content[start : end + 1], told)


def _as_json(value: object) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _entries(files: dict[str, Path], path: str) -> list[dict[str, Any]]:
    if path in files:
        return [_entry(path, files[path])]
    is_folder = any(name.startswith(f"{path}/") for name in files)
    return [{"type": "directory", "path": path, "oid": "0", "size": 0}] if is_folder else []


def _entry(path: str, file: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "file",
        "path": path,
        "size": file.stat().st_size,
        "oid": _digest(file)[:40],
    }
    if file.suffix in _LARGE:
        entry["lfs"] = {"oid": _digest(file), "size": file.stat().st_size, "pointerSize": 130}
    return entry


def _tree(files: dict[str, Path], below: str, *, recursive: bool) -> list[dict[str, Any]]:
    start = f"{below}/" if below else ""
    inside = [path for path in files if path.startswith(start)]
    folders: dict[str, None] = {}
    for path in inside:
        names = path.removeprefix(start).split("/")[:-1]
        for count in range(1, len(names) + 1 if recursive else min(len(names), 1) + 1):
            folders[start + "/".join(names[:count])] = None
    shown = inside if recursive else [path for path in inside if "/" not in path.removeprefix(start)]
    return [
        *({"type": "directory", "path": folder, "oid": "0", "size": 0} for folder in folders),
        *(_entry(path, files[path]) for path in shown),
    ]
