"""Models of the Hugging Face hub, or of a local folder, through transformers: ``hf:org/name@revision``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.encoders.identity import Origin
    from assay.encoders.pooling import Pooling


@dataclass(frozen=True, slots=True)
class HuggingFaceSource(ModelSource):
    """Image and text models by name on the hub or by folder; code from the hub is never run.

    Text features are the mean of the tokens, or the last token for models that only look back; image
    features are what the model gives its head, else its pooled output, class token or mean. An
    encoder-decoder is read by its encoder, without a head.

    Attributes:
        pretrained: False for random weights.
        seed: Draws random weights.
        pooling: "mean", "cls", "last" (texts only) or "pooler".
        max_tokens: The most tokens of a text; a model that reads fewer cuts earlier.
        layers: Use only the first layers of a text model, without its head.
        pairs: "apart": each text of a pair alone, and compared as u, v, abs(u - v), u * v; or "together": as
            one input. None for "together" where the head was trained on pairs, as one that gives a single
            number or entailment was; for "apart" with every other text model.
    """

    pretrained: bool = True
    seed: int = 0
    pooling: str | None = None
    max_tokens: int = 256
    layers: int | None = None
    pairs: str | None = None

    summary: ClassVar[str] = "Hugging Face: image and text models of the hub or of a folder"
    packages: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return none: any name of the hub and any folder may be written."""
        return ()

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a model and for wrong settings; asks no hub."""
        from assay.encoders.pairs import Pairs
        from assay.encoders.pooling import Pooling

        if self.pooling is not None:
            Pooling.named(self.pooling)
        if self.pairs is not None:
            Pairs.named(self.pairs)
        if self.max_tokens < 3:
            raise UsageError(f"Setting 'max_tokens' is {self.max_tokens}; write 3 or more, as in 256.")
        if self._is_local and not (Path(self.name).expanduser() / "config.json").is_file():
            raise UsageError(
                f"There is no 'config.json' in '{self.name}'. Write the folder of a saved model."
            )

    def modality(self) -> Modality:
        """Return what the configuration of the model says."""
        return Modality.IMAGE if _sees(self._config()) else Modality.TEXT

    def identity(self) -> str:
        """Return the version of transformers, the settings, and the revision or the hash of the folder."""
        import transformers

        from assay.encoders.identity import folder_hash, identity_of

        path, revision = self._address()
        if self._is_local:
            revision = folder_hash(Path(path))
        elif revision is None:
            revision = getattr(self._config(), "_commit_hash", None) or "main"
        return identity_of(f"transformers {transformers.__version__} {revision}", self)

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights: other ones, if these are random already."""
        return replace(self, pretrained=False, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Load the weights and the preprocessing of the model and return it on ``device``."""
        from assay.encoders.quiet import quiet

        with quiet():
            config = self._config()
            return self._open_image(config, device) if _sees(config) else self._open_text(config, device)

    def _open_image(self, config: Any, device: str) -> Model:
        import numpy as np
        from transformers import AutoImageProcessor, AutoModel, AutoModelForImageClassification

        from assay.encoders.images import ImageEncoder
        from assay.encoders.pooling import Pooling
        from assay.encoders.vision import Logits, Processing, read_image_base, read_image_classifier

        if self.pooling == Pooling.LAST:
            raise ModelError("Images have no last token. Write pooling='mean', 'cls' or 'pooler'.")
        processing = Processing(self._loaded(AutoImageProcessor))
        pooling = self._pooling()
        if _has_head(config, "ForImageClassification"):
            module: Any = Logits(self._weighted(AutoModelForImageClassification, config)).eval()
            size = processing.read([np.zeros((64, 64, 3), np.uint8)], "cpu").shape[1:]
            forward = read_image_classifier(module, pooling, tuple(size))
        else:
            module = self._weighted(AutoModel, config).eval()
            forward = read_image_base(module, pooling)
        return ImageEncoder(module, forward, processing, device, self._origin())

    def _open_text(self, config: Any, device: str) -> Model:
        from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

        from assay.encoders.pairs import Pairs
        from assay.encoders.pooling import Pooling
        from assay.encoders.texts import Reading, TextEncoder, keep_layers, read_base, read_classifier
        from assay.encoders.tokens import Tokens, most_tokens

        tokenizer = self._loaded(AutoTokenizer)
        if 8 * len(tokenizer) < config.get_text_config().vocab_size:
            raise ModelError(
                f"The tokenizer of 'hf:{self.name}' knows {len(tokenizer)} tokens, its model "
                f"{config.get_text_config().vocab_size}: files of the tokenizer are missing. "
                f"Save them beside the weights with tokenizer.save_pretrained(folder)."
            )
        tokens = Tokens(tokenizer, most_tokens(tokenizer, config, self.max_tokens))
        pooling = self._pooling() or (Pooling.LAST if _looks_back(config) else Pooling.MEAN)
        encodes_only = not config.is_encoder_decoder
        has_head = _has_head(config, "ForSequenceClassification") and encodes_only and self.layers is None
        usual = Pairs.TOGETHER if has_head and _was_trained_on_pairs(config) else Pairs.APART
        reading = Reading(tokens, pooling, pairs=usual if self.pairs is None else Pairs.named(self.pairs))
        if has_head:
            module = self._weighted(AutoModelForSequenceClassification, config)
            module.config.get_text_config().pad_token_id = tokens.padding  # a head that reads the last token
            return TextEncoder(module, read_classifier(module), reading, device, self._origin())
        module = self._weighted(AutoModel, config)
        module = module if encodes_only else module.get_encoder()
        if self.layers is not None:
            keep_layers(module, self.layers, of=config.num_hidden_layers)
        return TextEncoder(module, read_base(module), reading, device, self._origin())

    def _weighted(self, family: Any, config: Any) -> Any:
        """Return a module in float32: the pretrained one, or a random one of the same architecture."""
        import torch

        from assay.encoders.weights import seeded

        with seeded(self.seed):
            if not self.pretrained:
                return family.from_config(config, dtype=torch.float32)
            module, report = self._loaded(family, dtype=torch.float32, output_loading_info=True)
        pools = self.pooling == "pooler"
        missing = [name for name in sorted(report["missing_keys"]) if pools or "pooler" not in name]
        if missing:
            raise CheckpointError(
                f"'hf:{self.name}' lacks weights of {type(module).__name__}: {', '.join(missing[:3])}. "
                f"Choose a checkpoint that has them, or another pooling."
            )
        return module

    def _loaded(self, family: Any, **wanted: Any) -> Any:
        from assay.encoders.hub import how_to_get, settle_hub
        from assay.encoders.identity import model_error

        path, revision = self._address()
        if not self._is_local:
            settle_hub()
        try:
            return family.from_pretrained(path, revision=revision, trust_remote_code=False, **wanted)
        except OSError as error:
            if self._is_local:
                raise model_error(f"hf:{self.name}", error) from error
            raise ModelError(how_to_get(f"hf:{self.name}")) from error
        except Exception as error:  # a model of the hub fails in many ways; each fails this model alone
            raise model_error(f"hf:{self.name}", error) from error

    def _config(self) -> Any:
        from transformers import AutoConfig

        try:
            return self._loaded(AutoConfig)
        except ModelError as error:
            raise UsageError(
                str(error)
            ) from error  # nothing can be planned for a model without configuration

    @property
    def _is_local(self) -> bool:
        return self.name.startswith((".", "/", "~")) or Path(self.name).is_dir()

    def _address(self) -> tuple[str, str | None]:
        if self._is_local:
            return str(Path(self.name).expanduser()), None
        path, _, revision = self.name.partition("@")
        return path, revision or None

    def _pooling(self) -> Pooling | None:
        from assay.encoders.pooling import Pooling

        return None if self.pooling is None else Pooling.named(self.pooling)

    def _origin(self) -> Origin:
        from assay.encoders.identity import Origin

        if not self.pretrained:
            return Origin(f"random, seed {self.seed}", is_random=True)
        return Origin(f"hf: {self.name}")


def _sees(config: Any) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES

    classifiers = MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
    return "vision_config" in config.to_dict() or config.model_type in classifiers


def _has_head(config: Any, ending: str) -> bool:
    return any(name.endswith(ending) for name in config.architectures or ())


def _was_trained_on_pairs(config: Any) -> bool:
    """Tell by what a head says: a single number is a similarity, entailment is between two texts."""
    return config.num_labels == 1 or any("entail" in str(name).lower() for name in config.id2label.values())


def _looks_back(config: Any) -> bool:
    """Return whether a token sees only those before it, as in GPT: then only the last has seen all."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.is_encoder_decoder:
        return False
    kind = config.model_type
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
