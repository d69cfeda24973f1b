"""Explains failed downloads of models and data sets from the hub, and what to write instead."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from typing import NamedTuple

from assay.core.errors import ModelError, Unavailable
from assay.core.escaping import command
from assay.core.text import first_line
from assay.environment.offline import how_to_fetch, is_offline

_BROKEN_OFF = (
    "Consistency check failed",
    "incomplete message body",
    "peer closed connection",
    "IncompleteRead",
    "SHA256 checksum does not",
)
_DAMAGED = ("deserializing header", "MetadataIncompleteBuffer", "PytorchStreamReader", "InvalidHeader")
_TRANSPORT = {"TransportError", "ConnectionError", "Timeout"}  # of httpx; of requests, in earlier clients


class HubRequest(NamedTuple):
    """What was asked of the hub.

    Attributes:
        address: As the user wrote it, as in "hf:org/name@revision".
        name: The repository, as in "org/name".
        revision: A commit, tag or branch, or None.
        kind: "model" or "dataset".
    """

    address: str
    name: str
    revision: str | None = None
    kind: str = "model"

    @classmethod
    def model(cls, address: str) -> HubRequest:
        """Return the request of an address, whose name may end with "@" and a revision."""
        name, _, revision = address.partition(":")[2].partition("@")
        return cls(address, name, revision or None)

    @property
    def path(self) -> str:
        """Where the hub shows it."""
        return self.name if self.kind == "model" else f"datasets/{self.name}"

    @property
    def fetch(self) -> str:
        """The command that downloads it."""
        return command("assay", "fetch", self.address)


def hub_error(wanted: HubRequest, error: Exception) -> ModelError:
    """Explain why a model could not be opened, and what to do."""
    causes = list(_causes(error))
    messages = " ".join(str(cause) for cause in causes)
    reason = refusal(wanted, error)
    if reason is not None:
        return Unavailable(reason)
    if any(sign in messages for sign in _DAMAGED):
        return ModelError(
            f"A file of '{wanted.address}' in the cache is damaged ({first_line(causes[-1])}). Delete the "
            f"folder {_cache_of(wanted.name)}, and run {wanted.fetch}."
        )
    is_missing = any(isinstance(cause, OSError) for cause in causes)
    return Unavailable(_missing(wanted, error)) if is_missing else model_error(wanted.address, error)


def refusal(wanted: HubRequest, error: BaseException) -> str | None:
    """Explain why the hub does not deliver, and what to do; None if the hub is not the cause."""
    from huggingface_hub import errors

    causes = list(_causes(error))
    if any(isinstance(cause, errors.OfflineModeIsEnabled) for cause in causes):
        return None
    reason = next(filter(None, (_refused(wanted, cause) for cause in causes)), None)
    if reason is not None:
        return reason
    if any(sign in str(cause) for cause in causes for sign in _BROKEN_OFF):
        return (
            f"The download of '{wanted.address}' was interrupted ({first_line(causes[-1])}). Run "
            f"{wanted.fetch}: it continues where it stopped, and keeps complete files."
        )
    return None


def model_error(name: str, error: BaseException) -> ModelError:
    """Return the ``ModelError`` for any exception during opening."""
    return ModelError(f"Model '{name}' cannot be opened: {type(error).__name__}: {error}")


def why_no_hub() -> str:
    """Return why the hub's client is offline."""
    if is_offline():
        return "no network is used"
    return f"there is no network, or the hub at {_host()} cannot be reached"


def _refused(wanted: HubRequest, cause: BaseException) -> str | None:
    from huggingface_hub import errors

    if isinstance(cause, errors.GatedRepoError):
        granted = " Your token has no access yet." if _has_token() else ""
        return (
            f"'{wanted.name}' is gated: its authors decide who gets access.{granted} Ask for access at "
            f"{_host()}/{wanted.path}, log in with 'hf auth login' or set HF_TOKEN, and run {wanted.fetch}."
        )
    if isinstance(cause, errors.RepositoryNotFoundError):
        return (
            f"There is no {_noun(wanted)} '{wanted.name}' on {_host()}, or it is private. {_similar(wanted)}"
            f"For a private one log in with 'hf auth login' or set HF_TOKEN to a token that may read it, and "
            f"run {wanted.fetch}."
        )
    if isinstance(cause, errors.RevisionNotFoundError):
        known = _revisions(wanted)
        has = f" It has: {', '.join(known)}." if known else ""
        return (
            f"'{wanted.name}' has no revision '{wanted.revision or 'main'}'.{has} Write one of them, or a "
            f"commit of {_host()}/{wanted.path}/commits."
        )
    if isinstance(cause, errors.HfHubHTTPError) and not isinstance(cause, errors.EntryNotFoundError):
        response = getattr(cause, "response", None)
        return None if response is None else _by_status(wanted, int(response.status_code), cause)
    if not _TRANSPORT.isdisjoint(base.__name__ for base in type(cause).__mro__):
        return (
            f"The hub at {_host()} cannot be reached ({type(cause).__name__}: {first_line(cause)}), and "
            f"'{wanted.address}' is not in the local cache. Run the same command again with a network."
        )
    return None


def _by_status(wanted: HubRequest, status: int, cause: BaseException) -> str | None:
    host = _host()
    if status == 401 and not _has_token():
        return (
            f"The hub at {host} requires a login (401). Log in with 'hf auth login' or set HF_TOKEN, "
            f"and run {wanted.fetch}."
        )
    if status == 401:
        return (
            f"The hub at {host} rejects your token (401), even for public repositories. Log in again with "
            f"'hf auth login', or set HF_TOKEN to a valid token, or to nothing, and run {wanted.fetch}."
        )
    if status == 403:
        return (
            f"The hub at {host} refuses '{wanted.name}' (403: {_last_line(cause)}). Give your token the "
            f"right to read it, and run {wanted.fetch}."
        )
    if status == 429:
        login = "" if _has_token() else " With a token the limit is higher: 'hf auth login', or HF_TOKEN."
        return (
            f"The hub at {host} limits the number of requests (429), even after the wait that it asked for. "
            f"Run the same again later: what was downloaded is kept.{login}"
        )
    if status >= 500:
        return (
            f"The hub at {host} answers with a server error ({status}), and '{wanted.address}' is not "
            "in the local cache. Run the same again later; if it stays, check HF_ENDPOINT and the proxy."
        )
    return None


def _missing(wanted: HubRequest, error: Exception) -> str:
    from huggingface_hub import constants

    if not constants.HF_HUB_OFFLINE:
        return (
            f"'{wanted.address}' is not available, or lacks files: {first_line(error)}. Check the name, or "
            "name a local folder or checkpoint."
        )
    return (
        f"'{wanted.address}' is not in the local cache, and {why_no_hub()}. "
        f"{how_to_fetch(wanted.address)}; or name a local folder or checkpoint."
    )


def _similar(wanted: HubRequest) -> str:
    """Return a sentence with names of the hub that are like one that it does not have."""
    from huggingface_hub import HfApi

    api = HfApi()
    ask = api.list_models if wanted.kind == "model" else api.list_datasets
    owner, _, name = wanted.name.rpartition("/")
    try:
        found = [str(one.id) for one in ask(author=owner, limit=500)] if owner else []
        found += [str(one.id) for one in ask(search=name, limit=20)]
    except Exception:  # it is a hint
        return "Check the name. "
    near = difflib.get_close_matches(wanted.name, dict.fromkeys(found), n=3) or found[-3:]
    return f"Did you mean: {', '.join(near)}? " if near else "Check the name. "


def _revisions(wanted: HubRequest) -> list[str]:
    from huggingface_hub import HfApi

    try:
        refs = HfApi().list_repo_refs(wanted.name, repo_type=wanted.kind)
    except Exception:  # it is a hint
        return []
    return [ref.name for ref in (*refs.branches, *refs.tags)][:12]


def _noun(wanted: HubRequest) -> str:
    return "model" if wanted.kind == "model" else "data set"


def _host() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _cache_of(name: str) -> str:
    from huggingface_hub import constants

    return os.path.join(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}")  # noqa: PTH118  # text


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].rstrip(".:")
