"""Whether the model hub can be reached; where it cannot, its libraries are told so, and fail at once."""

from __future__ import annotations

import functools
import os
import socket
from urllib.parse import urlparse


@functools.cache
def settle_hub() -> bool:
    """Look the hub up once, and return whether it is there.

    Without a network the hub's client tries again for a minute or more for each file. Told that it is
    offline, it takes what is in its cache, and says at once what is not.
    """
    import huggingface_hub

    constants = huggingface_hub.constants
    if constants.HF_HUB_OFFLINE:
        return False
    host = urlparse(constants.ENDPOINT).hostname or ""
    through_proxy = any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"))
    try:
        if not through_proxy:
            socket.getaddrinfo(host, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True
        return False
    return True


def how_to_get(model: str) -> str:
    """Return what to do about a model that cannot be had."""
    reason = "" if settle_hub() else " There is no network, or the hub cannot be reached."
    return (
        f"Model '{model}' is neither in the local cache nor reachable, or lacks files.{reason} "
        f"Check the name, download it while online, or name a local folder or checkpoint."
    )
