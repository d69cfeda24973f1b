"""One tiny model of each encoder family of transformers, saved as a folder without weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

IMAGES = [
    "vit",
    "deit",
    "beit",
    "dinov2",
    "convnext",
    "convnextv2",
    "resnet",
    "regnet",
    "swin",
    "swinv2",
    "mobilenet_v2",
    "mobilevit",
    "efficientnet",
    "pvt_v2",
    "poolformer",
    "segformer",
    "focalnet",
    "hiera",
    "clip",
    "siglip",
]
SOUNDS = [
    "wav2vec2",
    "hubert",
    "wavlm",
    "unispeech",
    "sew",
    "data2vec-audio",
    "audio-spectrogram-transformer",
    "whisper",
]
TEXTS = [
    "bert",
    "roberta",
    "distilbert",
    "albert",
    "electra",
    "deberta-v2",
    "mpnet",
    "xlm-roberta",
    "camembert",
    "modernbert",
]
ENCODER_DECODERS = ["t5", "mt5", "bart", "mbart", "pegasus", "marian", "m2m_100"]
DECODERS = ["gpt2", "gpt_neo", "gpt_neox", "opt", "bloom", "llama", "mistral", "qwen2", "phi", "gemma"]

FAMILIES = {
    **dict.fromkeys(IMAGES, "images"),
    **dict.fromkeys(SOUNDS, "sounds"),
    **dict.fromkeys(TEXTS, "texts"),
    **dict.fromkeys(ENCODER_DECODERS, "texts, encoder-decoder"),
    **dict.fromkeys(DECODERS, "texts, decoder only"),
}

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "a", "the", "dog", "cat", "runs", "sleeps", "on", "under", "mat"]

_TINY = {
    **dict.fromkeys(("hidden_size", "d_model", "dim", "n_embd", "embedding_size"), 32),
    **dict.fromkeys(("num_hidden_layers", "n_layers", "n_layer", "num_layers", "num_decoder_layers"), 2),
    **dict.fromkeys(("encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_heads", "n_head"), 4),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4),
    **dict.fromkeys(("intermediate_size", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim", "ffn_dim"), 64),
    **dict.fromkeys(("num_key_value_heads", "num_global_key_value_heads"), 2),
    **dict.fromkeys(("head_dim", "d_kv"), 8),
    "hidden_dim": 64,
    "word_embed_proj_dim": 32,
    "attention_types": [[["global", "local"], 1]],
    "vocab_size": 64,
    "max_position_embeddings": 512,
}
_STAGED = {"convnext", "convnextv2", "resnet", "regnet", "swin", "swinv2", "mobilenet_v2", "mobilevit"} | {
    "efficientnet", "pvt_v2", "poolformer", "segformer", "focalnet", "hiera"
}  # fmt: skip  # their stages have widths of their own


def saved(kind: str, folder: Path) -> int | None:
    """Save the configuration and the preprocessing of a tiny model; return its width where it has one."""
    from transformers import CONFIG_MAPPING

    usual = CONFIG_MAPPING[kind]()
    tiny: dict[str, Any] = {} if kind in _STAGED else {k: v for k, v in _TINY.items() if hasattr(usual, k)}
    if kind in ("clip", "siglip"):
        tiny = {"vision_config": {**_vision(), "image_size": 32, "patch_size": 8}, "text_config": _vision()}
        tiny |= {"projection_dim": 32} if kind == "clip" else {}
    elif kind in IMAGES and kind not in _STAGED:
        tiny |= {"image_size": 32, "patch_size": 8}
    if kind not in IMAGES:
        tiny |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = CONFIG_MAPPING[kind](**tiny)
    config.save_pretrained(folder)
    _preprocessing(kind).save_pretrained(folder)
    width = 32 if kind == "clip" else getattr(config, "hidden_size", None)
    return int(width) if isinstance(width, int) and kind not in _STAGED - {"swin", "swinv2"} else None


def _vision() -> dict[str, int]:
    return {key: value for key, value in _TINY.items() if key.startswith(("hidden", "num_", "intermediate"))}


def _preprocessing(kind: str) -> Any:
    import transformers

    if kind in IMAGES:
        side = 32 if kind not in _STAGED else 224 if kind in ("hiera", "swin") else 64
        return transformers.ViTImageProcessor(size={"height": side, "width": side})
    if kind == "audio-spectrogram-transformer":
        return transformers.ASTFeatureExtractor()
    if kind == "whisper":
        return transformers.WhisperFeatureExtractor()
    if kind in SOUNDS:
        return transformers.Wav2Vec2FeatureExtractor()
    return _tokenizer()


def _tokenizer() -> Any:
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", eos_token="</s>", model_max_length=128
    )
