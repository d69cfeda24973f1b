"""Small audio models of transformers with random weights, saved as the hub has them; and sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import transformers
from tests.conftest import save

from assay.core.task import Sound

RATE = 16_000
_SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
_WAVES = {
    **_SHAPE,
    "conv_dim": (8, 8, 8),
    "conv_stride": (10, 4, 2),
    "conv_kernel": (20, 8, 4),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
_WHISPER = {
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 32,
    "num_mel_bins": 8,
    "max_source_positions": 50,
    "vocab_size": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "decoder_start_token_id": 1,
    "suppress_tokens": [],
    "begin_suppress_tokens": [],
}


def saved_audio_model(folder: Path, family: str, classes: int = 0) -> Path:
    """Save a model of a family with its feature extractor, with a head if it has classes."""
    config, extractor = _parts(family)
    config.num_labels = classes or 2
    kind = transformers.AutoModelForAudioClassification if classes else transformers.AutoModel
    save(lambda: kind.from_config(config), folder)
    extractor.save_pretrained(folder)
    return folder


def _parts(family: str) -> tuple[Any, Any]:
    if family == "whisper":
        heard = transformers.WhisperFeatureExtractor(feature_size=8, chunk_length=1)
        return transformers.WhisperConfig(**_WHISPER), heard
    if family == "ast":
        shape = {
            "max_length": 64,
            "num_mel_bins": 16,
            "patch_size": 8,
            "frequency_stride": 8,
            "time_stride": 8,
        }
        heard = transformers.ASTFeatureExtractor(max_length=64, num_mel_bins=16)
        return transformers.ASTConfig(**_SHAPE, **shape), heard
    configs = {
        "wav2vec2": transformers.Wav2Vec2Config,
        "hubert": transformers.HubertConfig,
        "wavlm": transformers.WavLMConfig,
    }
    is_layer = family == "wavlm"  # those with layer normalisation were trained with a mask
    return (
        configs[family](**_WAVES, feat_extract_norm="layer" if is_layer else "group"),
        transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=is_layer),
    )


def sounds(count: int = 4) -> list[Sound]:
    """Return tones with noise, of three lengths."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        time = np.arange((4000, 5000, 6400)[number % 3]) / RATE
        tone = 0.5 * np.sin(2 * np.pi * (200 + 100 * number) * time)
        found.append(Sound((tone + rng.normal(0, 0.05, len(time))).astype(np.float32), RATE))
    return found
