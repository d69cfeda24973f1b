"""The Hugging Face hub: whether it can be reached, and in words what kept a model from being had."""

from __future__ import annotations

import functools
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from assay.core.errors import ModelError
from assay.environment.offline import how_to_fetch, is_offline, keep_offline

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BROKEN_OFF = (
    "Consistency check failed",
    "incomplete message body",
    "peer closed connection",
    "IncompleteRead",
)
_DAMAGED = ("deserializing header", "MetadataIncompleteBuffer", "PytorchStreamReader", "InvalidHeader")


def settle_hub() -> bool:
    """Return whether the hub can be reached, and where it cannot, tell its client so.

    Without a network the hub's client tries again for a minute or more for each file. Told that it is
    offline, it takes what is in its cache, and says at once what is not.
    """
    import huggingface_hub

    keep_offline()
    constants = huggingface_hub.constants
    if not constants.HF_HUB_OFFLINE and not _is_there(urlparse(constants.ENDPOINT).hostname or ""):
        constants.HF_HUB_OFFLINE = True
    return not constants.HF_HUB_OFFLINE


@functools.cache
def _is_there(host: str) -> bool:
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return True  # the proxy looks names up
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


def commit_of(repository: str, file: str, revision: str | None) -> str:
    """Return the commit that a revision stands for now, so that new weights are another model.

    Args:
        repository: As in "org/name".
        file: One that is needed anyway.
        revision: What the user wrote; None for the newest.
    """
    from huggingface_hub import hf_hub_download

    if _COMMIT.fullmatch(revision or ""):
        return str(revision)
    local = not settle_hub()
    try:
        path = hf_hub_download(repository, file, revision=revision, local_files_only=local)
        return Path(path).parent.name  # snapshots/<commit>/
    except Exception:  # what stops this stops the opening too, which explains it
        return revision or "main"


@contextmanager
def opening(address: str, *, from_hub: bool = False) -> Iterator[None]:
    """Open a model inside: whatever its library raises becomes a ``ModelError`` that says what to do.

    Args:
        address: As the user wrote it, as in "hf:org/name@revision".
        from_hub: Whether files may come from the hub.
    """
    if from_hub:
        settle_hub()
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # libraries raise many kinds; each fails this model alone
        raise (hub_error if from_hub else model_error)(address, error) from error


def hub_error(address: str, error: Exception) -> ModelError:
    """Return in words what kept a model from being opened, and what to do.

    Args:
        address: As the user wrote it, as in "hf:org/name@revision".
        error: What its library raised.
    """
    causes = list(_causes(error))
    messages = " ".join(str(cause) for cause in causes)
    refused = next(filter(None, (_refused(address, cause) for cause in causes)), None)
    if refused is not None:
        return ModelError(refused)
    if any(sign in messages for sign in _BROKEN_OFF):
        return ModelError(
            f"The download of '{address}' broke off ({_first_line(causes[-1])}). "
            f"Run 'assay fetch {address}': it takes up where it stopped."
        )
    if any(sign in messages for sign in _DAMAGED):
        return ModelError(
            f"A file of '{address}' in the cache is damaged ({_first_line(causes[-1])}). Delete the folder "
            f"{_cache_of(_repository(address))}, and run 'assay fetch {address}'."
        )
    is_missing = any(isinstance(cause, OSError) for cause in causes)
    return ModelError(_missing(address, error)) if is_missing else model_error(address, error)


def model_error(name: str, error: BaseException) -> ModelError:
    """Return the ``ModelError`` for whatever stopped a model from opening."""
    return ModelError(f"Model '{name}' cannot be opened: {type(error).__name__}: {error}")


def _refused(address: str, cause: BaseException) -> str | None:
    """Return in words why the hub does not give a model; None where it is something else."""
    from huggingface_hub import constants, errors

    name = getattr(cause, "repo_id", None) or _repository(address)
    host, fetch = constants.ENDPOINT, f"'assay fetch {address}'"
    if isinstance(cause, errors.GatedRepoError):
        return (
            f"'{name}' is gated: its authors decide who may have it. Ask for access at {host}/{name}, log in "
            f"with 'hf auth login' or set HF_TOKEN, and run {fetch}."
        )
    if isinstance(cause, errors.RepositoryNotFoundError):
        return (
            f"There is no '{name}' on {host}, or it is private. Check the name; for a private one log in "
            f"with 'hf auth login' or set HF_TOKEN, and run {fetch}."
        )
    if isinstance(cause, errors.RevisionNotFoundError):
        revision = address.partition("@")[2]
        return f"'{name}' has no revision '{revision}'. Take one of {host}/{name}/commits."
    return None


def _missing(address: str, error: Exception) -> str:
    if settle_hub():
        return (
            f"'{address}' cannot be had, or lacks files: {_first_line(error)}. Check the name, or name a "
            "local folder or checkpoint."
        )
    why = "no network is used" if is_offline() else "there is no network, or the hub cannot be reached"
    return (
        f"'{address}' is not in the local cache, and {why}. {how_to_fetch(address)}; or name a local folder "
        "or checkpoint."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _repository(address: str) -> str:
    return address.partition(":")[2].partition("@")[0]


def _cache_of(name: str) -> str:
    import huggingface_hub

    return f"{huggingface_hub.constants.HF_HUB_CACHE}/models--{name.replace('/', '--')}"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".:")
