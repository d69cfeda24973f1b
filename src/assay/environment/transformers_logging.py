"""Keeps transformers from printing progress bars and loading reports between our lines."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# of the Audio Spectrogram Transformer, whose authors chose as many filters
_AS_PUBLISHED = "At least one mel filter has all zero values"


@contextmanager
def quiet() -> Iterator[None]:
    """Show only errors of transformers inside, and leave its settings as they were."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", _AS_PUBLISHED)
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
