"""Models of the Hugging Face hub, or of a local folder, through transformers: ``hf:org/name@revision``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.encoders.depth import Depth
    from assay.encoders.identity import Origin
    from assay.encoders.pooling import Pooling
    from assay.encoders.texts import Reading


@dataclass(frozen=True, slots=True)
class HuggingFaceSource(ModelSource):
    """Image and text models by name on the hub or by folder; code that comes with them is not run by itself.

    Text features are the mean of the tokens, or the last token for models that only look back; image
    features are what the model gives its head, else its pooled output, class token or mean. An
    encoder-decoder is read by its encoder, without a head.

    Attributes:
        pretrained: False for random weights.
        seed: Draws random weights.
        pooling: "mean", "cls", "last" (texts only) or "pooler".
        max_tokens: The most tokens of a text; a model that reads fewer cuts earlier.
        layer: The layer that is read, as transformers counts its hidden states: 0 is what enters the first,
            -1 what leaves the last, before what normalises it. "best" for that which serves a task best by a
            ridge probe on val: it is one of the tuned values. All layers run, and count as cost.
        layers: Use only so many of the first layers of a text model, without its head; or "mean": the mean
            of what leaves the layers.
        pairs: "apart": each text of a pair alone, and compared as u, v, abs(u - v), u * v; or "together": as
            one input. None for "together" where the head was trained on pairs, as one that gives a single
            number or entailment was; for "apart" with every other text model.
        trust_remote_code: Run the Python code that comes with the model: of a folder, or of a repository at
            a commit that is named in full, ``hf:org/name@<40 hex digits>``.
    """

    pretrained: bool = True
    seed: int = 0
    pooling: str | None = None
    max_tokens: int = 256
    layer: int | str | None = None
    layers: int | str | None = None
    pairs: str | None = None
    trust_remote_code: bool = False

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
        from assay.encoders.remote_code import check_trust

        depth = self._depth()
        if self._pooling() is Pooling.POOLER and depth.place is not None:
            raise UsageError("The pooling layer reads the last states. Leave out 'pooler', or the layer.")
        if self.pairs is not None:
            Pairs.named(self.pairs)
        if self.trust_remote_code:
            check_trust("hf", *self._address(), is_local=self._is_local)
        if self.max_tokens < 3:
            raise UsageError(f"Setting 'max_tokens' is {self.max_tokens}; write 3 or more, as in 256.")
        if self._is_local and not (Path(self.name).expanduser() / "config.json").is_file():
            raise UsageError(
                f"There is no 'config.json' in '{self.name}'. Write the folder of a saved model."
            )

    def modality(self) -> Modality:
        """Return what the configuration of the model says."""
        from assay.encoders.configurations import sees

        return Modality.IMAGE if sees(self._config()) else Modality.TEXT

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
        from assay.encoders.configurations import sees
        from assay.encoders.quiet import quiet

        with quiet():
            config = self._config()
            return self._open_image(config, device) if sees(config) else self._open_text(config, device)

    def _open_image(self, config: Any, device: str) -> Model:
        import numpy as np
        from transformers import AutoImageProcessor, AutoModel, AutoModelForImageClassification

        from assay.encoders.configurations import has_head
        from assay.encoders.images import ImageEncoder
        from assay.encoders.pooling import Pooling
        from assay.encoders.vision import (
            Logits,
            Processing,
            layers_of_images,
            read_image_base,
            read_image_classifier,
        )

        pooling = self._pooling()
        if pooling is Pooling.LAST:
            raise ModelError("Images have no last token. Write pooling='mean', 'cls' or 'pooler'.")
        processor = self._loaded(AutoImageProcessor)
        pixels = Processing(processor).read([np.zeros((64, 64, 3), np.uint8)], "cpu")
        headed = has_head(config, "ForImageClassification")
        family = AutoModelForImageClassification if headed else AutoModel
        module = self._weighted(family, config).eval()
        whole = Logits(module) if headed else module

        def read_at(depth: Depth) -> Model:
            if headed:
                forward = read_image_classifier(whole, pooling, depth, tuple(pixels.shape[1:]))
            else:
                forward = read_image_base(module, pooling, depth)
            return ImageEncoder(whole, forward, Processing(processor, depth), device, self._origin())

        return self._read(read_at, lambda: layers_of_images(module, pixels.to(device)))

    def _open_text(self, config: Any, device: str) -> Model:
        from transformers import AutoModel, AutoModelForSequenceClassification

        from assay.encoders.configurations import has_head
        from assay.encoders.texts import TextEncoder, keep_layers, read_base, read_classifier

        is_whole = not config.is_encoder_decoder and not isinstance(self.layers, int)
        headed = has_head(config, "ForSequenceClassification") and is_whole
        reading = self._reading(config, headed=headed)
        module = self._weighted(AutoModelForSequenceClassification if headed else AutoModel, config)
        if headed:  # a head that reads the last token must find it
            module.config.get_text_config().pad_token_id = reading.tokens.padding
        if config.is_encoder_decoder:
            module = module.get_encoder()
        if isinstance(self.layers, int):
            keep_layers(module, self.layers, of=config.num_hidden_layers)

        def read_at(depth: Depth) -> Model:
            read = (read_classifier if headed else read_base)(module, depth)
            return TextEncoder(module, read, replace(reading, depth=depth), device, self._origin())

        return self._read(
            read_at, lambda: module(**reading.tokens.longest(device), output_hidden_states=True)
        )

    def _read(self, read_at: Callable[[Depth], Model], run: Callable[[], Any]) -> Model:
        """Return the model read at the depth that is wanted, or to be chosen.

        Args:
            read_at: Opens it at a depth.
            run: Returns what it gives of some example, with all layers.
        """
        from assay.encoders.depth import layer_widths
        from assay.encoders.layered import LayeredEncoder

        model = read_at(self._depth())
        if self.layer != "best":
            return model
        return LayeredEncoder(model, read_at, layer_widths(run))

    def _reading(self, config: Any, *, headed: bool) -> Reading:
        """Return how a text becomes features."""
        from transformers import AutoTokenizer

        from assay.encoders.configurations import looks_back, was_trained_on_pairs
        from assay.encoders.pairs import Pairs
        from assay.encoders.pooling import Pooling
        from assay.encoders.texts import Reading
        from assay.encoders.tokens import Tokens, most_tokens

        tokenizer = self._loaded(AutoTokenizer)
        if 8 * len(tokenizer) < config.get_text_config().vocab_size:
            raise ModelError(
                f"The tokenizer of 'hf:{self.name}' knows {len(tokenizer)} tokens, its model "
                f"{config.get_text_config().vocab_size}: files of the tokenizer are missing. "
                f"Save them beside the weights with tokenizer.save_pretrained(folder)."
            )
        tokens = Tokens(tokenizer, most_tokens(tokenizer, config, self.max_tokens))
        pooling = self._pooling() or (Pooling.LAST if looks_back(config) else Pooling.MEAN)
        usual = Pairs.TOGETHER if headed and was_trained_on_pairs(config) else Pairs.APART
        return Reading(tokens, pooling, pairs=usual if self.pairs is None else Pairs.named(self.pairs))

    def _weighted(self, family: Any, config: Any) -> Any:
        """Return a module in float32: the pretrained one, or a random one of the same architecture."""
        import torch

        from assay.encoders.weights import seeded

        with seeded(self.seed):
            if not self.pretrained:
                trusted: dict[str, Any] = {"trust_remote_code": self.trust_remote_code}
                if family.__name__ in (getattr(config, "auto_map", None) or {}):
                    trusted["code_revision"] = self._address()[1]  # else the newest code would run
                return family.from_config(config, dtype=torch.float32, **trusted)
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
        from assay.encoders.remote_code import needs_trust, refuse_other_code

        path, revision = self._address()
        trusts = self.trust_remote_code
        if not self._is_local:
            settle_hub()
        try:
            if trusts:
                refuse_other_code(path, revision)
            return family.from_pretrained(path, revision=revision, trust_remote_code=trusts, **wanted)
        except ModelError:
            raise
        except OSError as error:
            if self._is_local:
                raise model_error(f"hf:{self.name}", error) from error
            raise ModelError(how_to_get(f"hf:{self.name}")) from error
        except Exception as error:  # a model of the hub fails in many ways; each fails this model alone
            if isinstance(error, ValueError) and "trust_remote_code=True" in str(error):
                raise needs_trust("hf", path, revision, is_local=self._is_local) from error
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

    def _depth(self) -> Depth:
        from assay.encoders.depth import depth_of

        return depth_of(self.layer, self.layers)

    def _pooling(self) -> Pooling | None:
        from assay.encoders.pooling import Pooling

        return None if self.pooling is None else Pooling.named(self.pooling)

    def _origin(self) -> Origin:
        from assay.encoders.identity import Origin

        if not self.pretrained:
            return Origin(f"random, seed {self.seed}", is_random=True)
        return Origin(f"hf: {self.name}")
