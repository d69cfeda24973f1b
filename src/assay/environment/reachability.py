"""Whether the Hugging Face hub answers; asked only if the user wants to know."""

from __future__ import annotations

import os
import urllib.request
from urllib.error import HTTPError, URLError

_PATIENCE = 5.0  # seconds


def hub_address() -> str:
    """Return the address of the hub: ``HF_ENDPOINT``, else the public one."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def why_unreachable(address: str) -> str:
    """Ask a web address for one answer; return the reason if there is none, else an empty string."""
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - of the user's environment
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
            return ""
    except HTTPError:
        return ""  # a refusal is an answer
    except URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
