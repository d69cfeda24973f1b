"""Explains failed downloads of weights that torch or Keras fetch with urllib."""

from __future__ import annotations

import re
from http.client import HTTPException

from assay.core.errors import Unavailable
from assay.environment.offline import how_to_fetch, is_offline

_OF_KERAS = re.compile(r"URL fetch failure on \S+: (?:None -- )?(.*)", re.DOTALL)
_CHANGED = (
    "invalid hash value",
    "Incomplete or corrupted file",
    "SHA256 checksum",
)  # torch, Keras, open_clip


def download_error(address: str, error: BaseException, instead: str) -> Unavailable | None:
    """Explain why a download failed, and what to do; None for any other error.

    Args:
        address: The model, as in "torchvision:resnet18".
        error: What the library raised.
        instead: What the user may write to need no download.
    """
    text = str(error)
    if any(sign in text for sign in _CHANGED):
        return Unavailable(
            f"The weights of '{address}' arrived incomplete or changed ({_first_line(text)}), and are not "
            f"used. Run the same again; or write {instead}."
        )
    of_keras = _OF_KERAS.search(text)
    if of_keras is None and not isinstance(error, (OSError, HTTPException)):
        return None
    stated = of_keras[1] if of_keras else text.removeprefix("<urlopen error ").removesuffix(">")
    reason = _first_line(stated) or type(error).__name__
    why, cure = f"cannot be downloaded: {reason}", "Run the same again where its server can be reached"
    if is_offline():
        why, cure = reason, how_to_fetch(address)
    return Unavailable(
        f"The weights of '{address}' are not in the local cache, and {why}. {cure}; or write {instead}."
    )


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].rstrip(".:")
