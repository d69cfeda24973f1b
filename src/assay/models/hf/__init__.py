"""Transformers models of the Hugging Face hub or of a local folder: ``hf:org/name@revision``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import ModelError, UsageError
from assay.core.keys import FLOAT32
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, identity_of, random_origin
from assay.encoders.layer_selection import LayerSelection
from assay.encoders.listed import listed_in
from assay.encoders.pairs import Pairs
from assay.encoders.placement import Placement
from assay.encoders.pooling import Pooling
from assay.encoders.precision import Precision, check_dtype, dtype_of_weights
from assay.encoders.repository import Repository
from assay.environment.devices import half_precision
from assay.environment.downloads import cached_repositories
from assay.environment.transformers_logging import quiet
from assay.models.hf.completeness import require_complete
from assay.models.hf.configurations import has_head, is_causal, modality_in, modality_of, was_trained_on_pairs
from assay.models.hf.remote_code import check_trust, loaded

_LISTED = Path(__file__).with_name("listed.tsv")
_OTHERS = ("modules.json", "open_clip_config.json", "open_clip_pytorch_model.bin")  # of other sources


@dataclass(frozen=True, slots=True)
class HuggingFaceSource(ModelSource):
    """Image, text and audio models by name on the hub or by folder; their own code is not run by default.

    Text features are the mean of the tokens, or the last token for causal models; image features are the
    input of the model's head, or else its class token, pooled output or mean. An
    encoder-decoder is read by its encoder, without a head. Audio features are the mean of the frames, or the
    pooled output of the Audio Spectrogram Transformer.

    >>> HuggingFaceSource("org/name", layer="first").check()
    Traceback (most recent call last):
    assay.core.errors.UsageError: Setting 'layer' is 'first'; write a number, as in layer=-2, or layer='best'.

    Attributes:
        pretrained: False for random weights.
        seed: The seed of random weights.
        pooling: "mean", "cls", "last" (texts only) or "pooler".
        max_tokens: The maximum number of tokens of a text; a model may have a lower limit.
        max_seconds: The maximum seconds of audio; a model may have a lower limit.
        layer: The index in the hidden states of transformers: 0 for the input of the first layer, -1 for the
            output of the last before normalisation. "best" chooses a layer for the task by a ridge probe on
            val, as one of the tuned values. All layers run and count as cost.
        layers: The number of first layers of a text or audio model to use, without its head; or "mean" for
            the mean of the outputs of all layers.
        pairs: "apart": each text of a pair alone, and compared as u, v, abs(u - v), u * v; or "together": as
            one input. None: "together" if the head was trained on pairs (it has one output, or entailment
            classes), else "apart".
        trust_remote_code: Run the Python code that comes with the model: of a folder, or of a repository at
            a commit that is named in full, ``hf:org/name@<40 hex digits>``.
        dtype: The precision: "auto", "float32", "bfloat16" or "float16"; weights are loaded in it.
        device_map: How weights are spread over all devices by accelerate, as in "auto"; None for one device.
        quantization: "8bit" or "4bit", by bitsandbytes; such weights are not trained.
        compile: Use torch.compile, where it is measured to be faster on the first examples of a task.
    """

    pretrained: bool = True
    seed: int = 0
    pooling: str | None = None
    max_tokens: int = 256
    max_seconds: float = 30.0
    layer: int | str | None = None
    layers: int | str | None = None
    pairs: str | None = None
    trust_remote_code: bool = False
    dtype: str = "auto"
    device_map: str | None = None
    quantization: str | None = None
    compile: bool = False

    summary: ClassVar[str] = "Hugging Face: image, text and audio models of the hub or of a folder"
    packages: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    @classmethod
    def catalogue(cls) -> Iterable[ModelSource]:
        """Return some models of texts and audio, and those in the hub's cache."""
        cached = cached_repositories(with_file="config.json", without=_OTHERS)
        own = (name for name in cached if not name.startswith("timm/"))  # as timm:name they open as timm does
        return map(cls, dict.fromkeys((*listed_in(_LISTED), *own)))

    def entry(self, address: str) -> CatalogueEntry:
        """Return the listed facts about the model; for others the modality, if the configuration is local."""
        entry = self._repository.entry(address, None, _LISTED)
        if entry.modality is None and entry.is_local:
            return replace(entry, modality=modality_in(self._repository.local_folder))
        return entry if self.pretrained else replace(entry, pretraining="", licence="")

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a model and for invalid settings; works offline."""
        check_dtype(self.dtype)
        Placement(self.device_map, self.quantization).check("hf")
        layers = self._layers()
        if self._pooling() is Pooling.POOLER and layers.layer is not None:
            raise UsageError("The pooling layer reads the last states. Leave out 'pooler', or the layer.")
        if self.pairs is not None:
            Pairs.named(self.pairs)
        if self.max_tokens < 3:
            raise UsageError(f"Setting 'max_tokens' is {self.max_tokens}; write 3 or more, as in 256.")
        if not self.max_seconds > 0:
            raise UsageError(f"Setting 'max_seconds' is {self.max_seconds:g}; write more than 0, as in 30.")
        if self.trust_remote_code:
            check_trust(self._repository)
        self._repository.check()

    def modality(self) -> Modality:
        """Return the modality in the model's configuration."""
        return modality_of(self._config())

    def identity(self) -> str:
        """Return the version of transformers, the settings, and the revision or the hash of the folder."""
        import transformers

        return identity_of(f"transformers {transformers.__version__} {self._repository.content()}", self)

    def code(self) -> str:
        """Return the name of the model if its own Python code is run."""
        return self.name if self.trust_remote_code else ""

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights, different from the current ones."""
        return replace(self, pretrained=False, seed=self.seed + 1, device_map=None, quantization=None)

    def open(self, device: str) -> Model:
        """Load the weights and the preprocessing of the model and return it on ``device``."""
        opening = {
            Modality.IMAGE: self._open_image,
            Modality.TEXT: self._open_text,
            Modality.AUDIO: self._open_audio,
        }
        with quiet():
            config = self._config()
            return opening[modality_of(config)](config, device)

    def _open_image(self, config: Any, device: str) -> Model:
        import numpy as np
        from transformers import AutoImageProcessor, AutoModel, AutoModelForImageClassification

        from assay.encoders.images import ImageEncoder
        from assay.encoders.pixels import require_channels
        from assay.models.hf import vision

        pooling = self._pooling()
        if pooling is Pooling.LAST:
            raise ModelError("Images have no last token. Write pooling='mean', 'cls' or 'pooler'.")
        processor = self._loaded(AutoImageProcessor)
        channels = vision.channels_of(config)
        require_channels(channels, f"'hf:{self.name}'")
        processing = vision.Processing(processor, channels=channels)
        pixels = processing.read([np.zeros((64, 64, 3), np.uint8)], "cpu")
        headed = has_head(config, "ForImageClassification")
        family = AutoModelForImageClassification if headed else AutoModel
        module, precision = self._weighted(family, config, device)
        module.eval()
        whole = vision.Logits(module) if headed else module

        def read_at(layers: LayerSelection) -> Model:
            if headed:
                forward = vision.read_image_classifier(whole, pooling, layers, tuple(pixels.shape[1:]))
            else:
                forward = vision.read_image_base(module, pooling, layers)
            read = replace(processing, layers=layers)
            return ImageEncoder(whole, forward, read, device, self._origin(), precision=precision)

        return self._read(read_at, lambda: vision.layers_of_images(module, pixels.to(device)), precision)

    def _open_text(self, config: Any, device: str) -> Model:
        from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

        from assay.encoders.texts import Reading, TextEncoder, keep_layers, read_base, read_classifier
        from assay.models.hf.tokenization import tokens_of

        is_whole = not config.is_encoder_decoder and not isinstance(self.layers, int)
        headed = has_head(config, "ForSequenceClassification") and is_whole
        usual = Pairs.TOGETHER if headed and was_trained_on_pairs(config) else Pairs.APART
        pairs = usual if self.pairs is None else Pairs.named(self.pairs)
        tokens = tokens_of(self._loaded(AutoTokenizer), config, self.max_tokens, f"hf:{self.name}")
        pooling = self._pooling() or (Pooling.LAST if is_causal(config) else Pooling.MEAN)
        reading = Reading(tokens, pooling, pairs=pairs)
        family = AutoModelForSequenceClassification if headed else AutoModel
        module, precision = self._weighted(family, config, device)
        where = device, self._origin(), precision
        if headed:  # some heads must find the last token
            module.config.get_text_config().pad_token_id = reading.tokens.padding
        if config.is_encoder_decoder:
            module = module.get_encoder()
        if isinstance(self.layers, int):
            keep_layers(module, self.layers, of=config.num_hidden_layers)

        def read_at(layers: LayerSelection) -> Model:
            read = (read_classifier if headed else read_base)(module, layers)
            return TextEncoder(module, read, replace(reading, layers=layers), *where)

        return self._read(
            read_at, lambda: module(**reading.tokens.longest(device), output_hidden_states=True), precision
        )

    def _open_audio(self, config: Any, device: str) -> Model:
        from transformers import AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification

        from assay.encoders.texts import keep_layers, read_base, read_classifier
        from assay.models.hf.audio import AudioReading, window_of
        from assay.models.hf.audio_encoder import AudioEncoder

        if self._pooling() is Pooling.LAST:
            raise ModelError("Sounds have no last token. Write pooling='mean', 'cls' or 'pooler'.")
        extractor = self._loaded(AutoFeatureExtractor)
        most = min(self.max_seconds, window_of(extractor) or self.max_seconds)
        pools = config.model_type == "audio-spectrogram-transformer" and self._layers().layer is None
        pooling = self._pooling() or (Pooling.POOLER if pools else Pooling.MEAN)
        kinds = ("ForSequenceClassification", "ForAudioClassification")
        headed = any(has_head(config, kind) for kind in kinds) and not isinstance(self.layers, int)
        family = AutoModelForAudioClassification if headed else AutoModel
        module, precision = self._weighted(family, config, device)
        if config.is_encoder_decoder and not headed:
            module = module.get_encoder()
        if isinstance(self.layers, int):
            keep_layers(module, self.layers, of=config.num_hidden_layers)
        where, reading = (device, self._origin(), precision), AudioReading(extractor, most, pooling)

        def read_at(layers: LayerSelection) -> Model:
            read = (read_classifier if headed else read_base)(module, layers)
            return AudioEncoder(module, read, replace(reading, layers=layers), *where)

        def run() -> Any:
            return module(**reading.shown(reading.probe(device)), output_hidden_states=True)

        return self._read(read_at, run, precision)

    def _read(
        self, read_at: Callable[[LayerSelection], Model], run: Callable[[], Any], precision: Precision
    ) -> Model:
        """Return the model for the selected layers, or a layered model; ``run`` gives all layers."""
        from assay.models.hf.layered import LayeredEncoder

        def precisely(layers: LayerSelection) -> Any:
            with precision.context():
                return read_at(layers)

        model = precisely(self._layers())
        if self.compile:
            model.compile_forward()
        with precision.context():
            return LayeredEncoder(model, precisely, run) if self.layer == "best" else model

    def _weighted(self, family: Any, config: Any, device: str) -> tuple[Any, Precision]:
        """Return the module with pretrained or random weights, and the precision in which it encodes."""
        import torch

        from assay.encoders.weights import seeded

        native = str(config.dtype or FLOAT32).removeprefix("torch.")
        dtype = dtype_of_weights(self.dtype, native, half_precision(device))
        precision, as_torch = Precision(self.dtype, device, dtype), getattr(torch, dtype)

        with seeded(self.seed):
            if not self.pretrained:
                trusted: dict[str, Any] = {"trust_remote_code": self.trust_remote_code}
                if family.__name__ in (getattr(config, "auto_map", None) or {}):
                    trusted["code_revision"] = self._repository.location.revision  # else the newest runs
                return family.from_config(config, dtype=as_torch, **trusted), precision
            placed = Placement(self.device_map, self.quantization).arguments(device)
            module, report = self._loaded(family, dtype=as_torch, output_loading_info=True, **placed)
        require_complete(report["missing_keys"], self.name, type(module).__name__, self.pooling)
        return module, precision

    @property
    def _repository(self) -> Repository:
        return Repository("hf", self.name)

    def _loaded(self, family: Any, **wanted: Any) -> Any:
        return loaded(self._repository, family, trusts=self.trust_remote_code, **wanted)

    def _config(self) -> Any:
        from transformers import AutoConfig

        return self._loaded(AutoConfig)

    def _layers(self) -> LayerSelection:
        return LayerSelection.of_settings(self.layer, self.layers)

    def _pooling(self) -> Pooling | None:
        return None if self.pooling is None else Pooling.named(self.pooling)

    def _origin(self) -> Origin:
        return self._repository.origin() if self.pretrained else random_origin(self.seed)
