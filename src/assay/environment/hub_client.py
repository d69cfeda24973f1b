"""The Hugging Face hub: whether it is reachable, the commit of a repository, and what is cached."""

from __future__ import annotations

import functools
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlparse
from urllib.request import getproxies, proxy_bypass

from assay.core.errors import AssayError
from assay.core.paths import regular_bytes
from assay.environment.atomic_file import written_whole
from assay.environment.hub_errors import HubRequest, hub_error, model_error
from assay.environment.offline import keep_offline

_COMMIT = re.compile(r"[0-9a-f]{40}")
_PATIENCE = 10.0  # seconds until a host that does not answer counts as unreachable, as in the hub's client
_PAUSES = {
    "base_wait_time": 0.25,
    "max_wait_time": 1.0,
}  # seconds; where it limits the rate, it says how many


class HubRepository(NamedTuple):
    """A repository of the hub.

    Attributes:
        name: As in "org/name".
        revision: A commit, tag or branch; None for the newest commit.
        kind: "model" or "dataset".
    """

    name: str
    revision: str | None = None
    kind: str = "model"

    @classmethod
    def parse(cls, text: str) -> HubRepository:
        """Return the repository of a model as it is written, as in "org/name@revision"."""
        name, _, revision = text.partition("@")
        return cls(name, revision or None)

    @property
    def cache(self) -> Path:
        """The folder in which the hub's client keeps it."""
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / f"{self.kind}s--{self.name.replace('/', '--')}"

    @property
    def snapshot(self) -> Path:
        """The folder of the files of the cached commit; it need not exist."""
        return self.cache / "snapshots" / (self.cached_commit() or "none")

    def cached_commit(self) -> str | None:
        """Return the commit that the revision stood for when it was downloaded; None if it never was."""
        if _COMMIT.fullmatch(self.revision or ""):
            return self.revision
        try:
            return regular_bytes(self._ref).decode().strip()
        except (OSError, ValueError):
            return None

    def commit(self) -> str:
        """Return the commit that the revision stands for now; raise what the hub's client raises."""
        from huggingface_hub import get_token

        answer = _commit(self, get_token(), int(time.monotonic() // 60))
        if isinstance(answer, Exception):
            raise answer
        if self.cached_commit() != answer:
            with suppress(OSError), written_whole(self._ref) as ref:  # as the hub's client keeps it
                ref.write(answer.encode())
        return answer

    def best_commit(self) -> str | None:
        """Return the commit that the revision stands for now, or where the hub does not say, stood for."""
        if _COMMIT.fullmatch(self.revision or ""):
            return self.revision
        try:
            return self.commit() if settle_hub() else self.cached_commit()
        except Exception:  # what stops this stops the opening too, which explains it
            return self.cached_commit()

    def described(self) -> dict[str, Any]:
        """Return the hub's facts about the repository and its files; raise the client's exceptions."""
        return _told(self, "?blobs=true")

    @property
    def _ref(self) -> Path:
        return self.cache / "refs" / (self.revision or "main")


def settle_hub() -> bool:
    """Return whether the hub is reachable, and if not, switch its client to offline mode.

    Without a network the hub's client tries again for a minute or more for each file. Told that it is
    offline, it takes what is in its cache, and says at once what is not. Nor does it tell what else is used.
    """
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    keep_offline()
    if not constants.HF_HUB_OFFLINE and not _is_there(constants.ENDPOINT):
        constants.HF_HUB_OFFLINE = True
    return not constants.HF_HUB_OFFLINE


@contextmanager
def opening(
    address: str, *, from_hub: bool = False, repository: HubRepository | None = None
) -> Iterator[None]:
    """Open a model inside: any exception of its library becomes a ``ModelError`` that says what to do.

    Args:
        address: As the user wrote it, as in "hf:org/name@revision".
        from_hub: Whether files may come from the hub.
        repository: The one that they come from, if it is known. If the hub does not give it, its cached
            files are used.
    """
    wanted = HubRequest.model(address) if repository is None else HubRequest(address, *repository)
    try:
        with _settled(repository) if from_hub else _unchanged():
            yield
    except AssayError:
        raise
    except Exception as error:  # libraries raise many kinds; each fails this model alone
        raise (hub_error(wanted, error) if from_hub else model_error(address, error)) from error


@contextmanager
def cache_only() -> Iterator[None]:
    """Restrict the hub's client to its cache."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def _settled(repository: HubRepository | None) -> Iterator[None]:
    """Find out whether the hub is reachable and delivers a repository; otherwise use the cache."""
    if not settle_hub() or repository is None:
        yield
        return
    try:
        repository.commit()
    except Exception:
        commit = repository.cached_commit()
        if commit is None or not (repository.cache / "snapshots" / commit).is_dir():
            raise
        with cache_only():
            yield
        return
    yield


@contextmanager
def _unchanged() -> Iterator[None]:
    yield


@functools.lru_cache(maxsize=1000)
def _commit(repository: HubRepository, token: str | None, minute: int) -> str | Exception:  # noqa: ARG001
    """Ask the hub for a commit, once a minute and token: opening a model needs it at several places."""
    revision = quote(repository.revision or "main", safe="")
    try:
        return str(_told(repository, f"/revision/{revision}")["sha"])
    except Exception as error:
        return error


def _told(repository: HubRepository, path: str) -> dict[str, Any]:
    """Return the hub's answer for a path of a repository; raise the exceptions of its client."""
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

    url = f"{constants.ENDPOINT}/api/{repository.kind}s/{repository.name}{path}"
    response = http_backoff("GET", url, headers=build_hf_headers(), timeout=_PATIENCE, **_PAUSES)
    hf_raise_for_status(response)
    return dict(response.json())


@functools.cache
def _is_there(endpoint: str) -> bool:
    """Return whether something listens at an address; a proxy is trusted to find it."""
    parts = urlparse(endpoint)
    host, scheme = parts.hostname or "", parts.scheme
    proxies = getproxies()
    if (proxies.get(scheme) or proxies.get("all")) and not proxy_bypass(host):
        return True
    try:
        with socket.create_connection((host, parts.port or {"http": 80}.get(scheme, 443)), _PATIENCE):
            return True
    except OSError:
        return False
