"""Facts about a transformer in its configuration, available before its weights are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.core.task import Modality


def modality_of(config: Any) -> Modality:
    """Return the modality of the model."""
    if _reads_audio(config):
        return Modality.AUDIO
    return Modality.IMAGE if _reads_images(config) else Modality.TEXT


def modality_in(folder: Path) -> Modality | None:
    """Return the modality of the model whose configuration lies in a folder; None if it cannot be read."""
    from transformers import AutoConfig

    try:
        return modality_of(AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False))
    except Exception:  # it is of another library, or of code of its own
        return None


def _reads_audio(config: Any) -> bool:
    """Return whether the model reads audio."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES

    return config.model_type in MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES


def _reads_images(config: Any) -> bool:
    """Return whether the model reads images."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES

    classifiers = MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
    own = getattr(config, "auto_map", None) or {}  # the classes of the model's own code
    has_image_code = bool({"AutoImageProcessor", "AutoModelForImageClassification"} & own.keys())
    return "vision_config" in config.to_dict() or config.model_type in classifiers or has_image_code


def has_head(config: Any, ending: str) -> bool:
    """Return whether the weights are those of a class whose name has this ending."""
    return any(name.endswith(ending) for name in config.architectures or ())


def was_trained_on_pairs(config: Any) -> bool:
    """Return whether the head is for text pairs, such as similarity or entailment."""
    return config.num_labels == 1 or any("entail" in str(name).lower() for name in config.id2label.values())


def is_causal(config: Any) -> bool:
    """Return whether attention is causal, as in GPT, so that only the last token sees the whole text."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.is_encoder_decoder:
        return False
    kind = config.model_type
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
