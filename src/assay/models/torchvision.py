"""Models of torchvision: ``torchvision:resnet50.IMAGENET1K_V2``."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import CheckpointError, UnknownName, UsageError
from assay.core.escaping import command
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, identity_of
from assay.encoders.image_source import ImageSource
from assay.encoders.model_list_cache import cached_listing
from assay.encoders.pixels import PixelRecipe
from assay.encoders.precision import Precision
from assay.environment.download_errors import download_error
from assay.environment.downloads import torch_hub_file
from assay.environment.hub_client import opening
from assay.environment.offline import keep_offline


@dataclass(frozen=True, slots=True)
class TorchvisionSource(ImageSource):
    """Classification models by name, optionally followed by a dot and the name of the weights.

    Features are what enters the classification head; preprocessing is that of the weights.

    >>> TorchvisionSource("resnet18.IMAGENET1K_V1").parameters()
    11689512
    """

    summary: ClassVar[str] = "torchvision: the classification models of PyTorch"
    packages: ClassVar[tuple[str, ...]] = ("torch", "torchvision")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return every architecture, and every architecture with each of its weights."""
        return sorted(_kept() or _asked())

    def choices(self) -> Iterable[str]:
        """Return each of the published weights; of random weights or a checkpoint, each architecture."""
        return [name for name in self.list_names() if ("." in name) is self.is_published]

    def parameters(self) -> int | None:
        """Return the number of weights as published, with a head of 1,000 classes."""
        return self._facts().parameters

    @classmethod
    def catalogue(cls) -> Iterable[ModelSource]:
        """Return the models with published weights."""
        return map(cls, cls("").choices())

    def entry(self, address: str) -> CatalogueEntry:
        """Return torchvision's facts about the weights."""
        facts = self._facts()
        entry = CatalogueEntry(
            address,
            Modality.IMAGE,
            facts.parameters if self.num_classes is None else None,
            facts.macs if self.image_size is None else None,
            self.image_size or facts.side,
            is_local=True,
        )
        if not self.is_published:
            return entry
        file = torch_hub_file(facts.url)
        return replace(
            entry,
            pretraining="Instagram-3.6B, ImageNet-1k" if "SWAG" in facts.tag else "ImageNet-1k",
            licence=facts.licence,
            source_accuracy=facts.accuracy if self.image_size is None else None,
            download_bytes=facts.bytes,
            is_local=file.is_file(),
            cache_file=str(file),
        )

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing files and invalid settings."""
        self.check_settings()
        if self.is_published and self.num_classes is not None:
            raise UsageError(
                f"The weights of '{self.name}' have their own classes. Leave num_classes out, or give "
                f"a checkpoint or pretrained=False with it."
            )
        self._weights()

    def identity(self) -> str:
        """Return the version, the weights, the settings and the hash of the checkpoint."""
        import torchvision

        builder = f"torchvision {torchvision.__version__} {self._weights().url}"
        return identity_of(builder, self, self.checkpoint)

    def open(self, device: str) -> Model:
        """Build the model, load its weights and return it on ``device``."""
        from assay.encoders.heads import read_head
        from assay.encoders.images import ImageEncoder

        with opening(f"torchvision:{self.name}"):
            module = self._build()
        self.load_checkpoint(module)
        recipe = self._recipe()
        forward = read_head(module.eval(), (recipe.channels, *recipe.size))
        precision = Precision(self.dtype, device)
        origin = self.origin(self._published())
        return self.compiled(ImageEncoder(module, forward, recipe, device, origin, precision=precision))

    def _facts(self) -> TorchvisionFacts:
        return _kept().get(self.name) or _row(self._weights())

    def _weights(self) -> Any:
        from torchvision.models import get_model_weights

        architecture, _, tag = self.name.partition(".")
        if architecture not in _architectures():
            raise UnknownName("torchvision model", self.name, self.list_names())
        known = get_model_weights(architecture)
        if tag and tag not in known.__members__:
            raise UnknownName(f"weights of torchvision's {architecture}", tag, known.__members__)
        return known[tag or "DEFAULT"]

    def _build(self) -> Any:
        from torch.hub import get_dir
        from torchvision.models import get_model

        from assay.encoders.weights import seeded

        keep_offline()
        wanted: dict[str, Any] = {} if self.num_classes is None else {"num_classes": self.num_classes}
        architecture = self.name.partition(".")[0]
        if architecture in ("googlenet", "inception_v3") and not self.is_published:
            wanted["init_weights"] = True  # else torchvision warns that it may change the default
        if architecture.startswith("vit_") and not self.is_published:
            wanted["image_size"] = self._recipe().size[0]  # its positions are made for one size
        weights = self._weights() if self.is_published else None
        try:
            with seeded(self.seed), redirect_stdout(sys.stderr):  # torch prints there what it downloads
                return get_model(architecture, weights=weights, **wanted)
        except Exception as error:  # any failure of a download, or a damaged file in the cache
            address = f"torchvision:{self.name}"
            kept = None if weights is None else Path(get_dir()) / "checkpoints" / Path(weights.url).name
            if kept is not None and kept.is_file():
                raise CheckpointError(
                    f"The file {kept} is damaged ({type(error).__name__}: {error}). Delete it, and run "
                    f"{command('assay', 'fetch', address)}."
                ) from error
            raise download_error(address, error, "checkpoint='weights.pth'") or error from error

    def _recipe(self) -> PixelRecipe:
        transforms = self._weights().transforms()
        resize, crop = transforms.resize_size[0], transforms.crop_size[0]
        recipe = PixelRecipe(
            resize,
            crop,
            interpolation=transforms.interpolation.value,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
        )
        return self.changes.applied_to(recipe, Fraction(crop, resize))

    def _published(self) -> Origin:
        facts = _row(self._weights())
        return Origin(f"torchvision: {facts.url}", facts.licence or None, source_accuracy=facts.accuracy)


class TorchvisionFacts(NamedTuple):
    """What torchvision lists of weights; the accuracy is between 0 and 1."""

    tag: str
    url: str
    licence: str
    parameters: int
    macs: int
    side: int
    accuracy: float | None
    bytes: int


def _kept() -> Mapping[str, TorchvisionFacts]:
    return cached_listing("torchvision", TorchvisionFacts, _asked)


def _asked() -> dict[str, TorchvisionFacts]:
    """Return torchvision's facts about each architecture, with its default weights, and about all weights."""
    from torchvision.models import get_model_weights

    known = {name: get_model_weights(name) for name in _architectures()}
    usual = {name: _row(of_name["DEFAULT"]) for name, of_name in known.items()}
    return usual | {f"{name}.{one.name}": _row(one) for name, of_name in known.items() for one in of_name}


def _row(weights: Any) -> TorchvisionFacts:
    stated = weights.meta["_metrics"].get("ImageNet-1K", {}).get("acc@1", math.nan)
    return TorchvisionFacts(
        weights.name,
        weights.url,
        weights.meta.get("license") or "",
        int(weights.meta["num_params"]),
        round(weights.meta["_ops"] * 1e9),
        weights.transforms.keywords["crop_size"],
        None if math.isnan(stated) else stated / 100,  # of weights for features alone
        round(weights.meta["_file_size"] * 2**20),
    )


def _architectures() -> list[str]:
    import torchvision

    return list(torchvision.models.list_models(module=torchvision.models))
