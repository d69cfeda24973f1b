"""The tokenization of a text model of transformers."""

from __future__ import annotations

from typing import Any

from assay.core.errors import ModelError
from assay.encoders.tokens import Tokens, most_tokens

_READ_PADDING = ("canine",)  # its convolutions over characters take padding in


def tokens_of(tokenizer: Any, config: Any, most: int, model: str) -> Tokens:
    """Return how texts become tokens.

    Args:
        tokenizer: The tokenizer of the model.
        config: Its configuration.
        most: The maximum number of tokens that the user wants.
        model: The model, as in "hf:org/name".

    Raises:
        ModelError: Files of the tokenizer are missing.
    """
    vocabulary = getattr(config.get_text_config(), "vocab_size", 0)  # a model of characters has none
    if 8 * len(tokenizer) < vocabulary:
        raise ModelError(
            f"The tokenizer of '{model}' knows {len(tokenizer)} tokens, its model {vocabulary}: files of the "
            f"tokenizer are missing. Save them next to the weights with tokenizer.save_pretrained(folder)."
        )
    pads, least = config.model_type not in _READ_PADDING, getattr(config, "downsampling_rate", 1)
    positions = most_tokens(tokenizer, config, most)
    return Tokens(tokenizer, positions, pads=pads, least=least if isinstance(least, int) else 1)
