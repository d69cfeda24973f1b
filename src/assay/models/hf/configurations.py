"""What the configuration of a transformer states about it before its weights are loaded."""

from __future__ import annotations

from typing import Any

from assay.core.task import Modality


def modality_of(config: Any) -> Modality:
    """Return what the model reads."""
    if _reads_audio(config):
        return Modality.AUDIO
    return Modality.IMAGE if _reads_images(config) else Modality.TEXT


def _reads_audio(config: Any) -> bool:
    """Return whether the model reads sounds."""
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
    """Return whether its head reads pairs: one number is a similarity, entailment is between two texts."""
    return config.num_labels == 1 or any("entail" in str(name).lower() for name in config.id2label.values())


def is_causal(config: Any) -> bool:
    """Return whether a token sees only those before it, as in GPT: then only the last has seen all."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.is_encoder_decoder:
        return False
    kind = config.model_type
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
