"""The folder of the history of past studies, to which the user adds numbers and names."""

from __future__ import annotations

import os
from pathlib import Path

from assay.core.paths import expanded


def history_folder() -> Path:
    """Return the folder: ``ASSAY_HISTORY``, else ``assay/history`` in the user's folder of data."""
    chosen = os.environ.get("ASSAY_HISTORY")
    if chosen:
        return Path(expanded(chosen))
    beside = os.environ.get("XDG_DATA_HOME")
    return (Path(beside) if beside else Path.home() / ".local" / "share") / "assay" / "history"
