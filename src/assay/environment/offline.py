"""Studies without a network (``--offline``): libraries use their caches and refuse all downloads."""

from __future__ import annotations

import os
import sys
import urllib.request
from http.client import HTTPResponse
from urllib.error import URLError

from assay.core.escaping import command

_ASKED = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
_TRUE = {"1", "on", "yes", "true"}  # what the libraries of Hugging Face accept as yes


def go_offline() -> None:
    """Use no network from now on, in this process and in those that it starts."""
    for name in _ASKED:
        os.environ[name] = "1"
    hub = sys.modules.get("huggingface_hub.constants")
    if hub is not None:  # it was loaded before, and has read the variable
        vars(hub)["HF_HUB_OFFLINE"] = True
    keep_offline()


def is_offline() -> bool:
    """Return whether the user asked for no network, by ``--offline`` or by a variable of Hugging Face."""
    return any(os.environ.get(name, "").lower() in _TRUE for name in _ASKED[:2])


def keep_offline() -> None:
    """Let urllib refuse URLs where the user asked for no network: torch and Keras download with it."""
    if not is_offline():
        return
    opener = urllib.request.OpenerDirector()
    for handler in (_Refusing(), urllib.request.FileHandler(), urllib.request.DataHandler()):
        opener.add_handler(handler)
    urllib.request.install_opener(opener)


def how_to_fetch(address: str) -> str:
    """Return what to do about something that is not in the local cache."""
    return (
        f"Run {command('assay', 'fetch', address)} where there is a network, and then the same with --offline"
    )


class _Refusing(urllib.request.BaseHandler):
    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        raise URLError("no network is used, as --offline or HF_HUB_OFFLINE asks")

    https_open = ftp_open = http_open
