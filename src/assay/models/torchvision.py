"""Models of torchvision: ``torchvision:resnet50.IMAGENET1K_V2``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.error import URLError

from assay.core.errors import ModelError, UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.encoders.identity import Origin
    from assay.encoders.pixel_changes import PixelChanges
    from assay.encoders.pixels import PixelRecipe


@dataclass(frozen=True, slots=True)
class TorchvisionSource(ModelSource):
    """Classification models by name; the weights stand after a dot, the default ones where there is none.

    Features are what enters the classification head; preprocessing is that of the weights.

    Attributes:
        pretrained: False for random weights.
        checkpoint: A file with weights instead of the published ones.
        rename: How names of the checkpoint begin, and how they begin in the model, as in
            ``(('backbone.', ''), ('projector.', None))``; None leaves those out.
        seed: Draws random weights, where there are any.
        num_classes: Classes of the head, for a checkpoint with a head of its own.
        image_size: Side of the input in pixels.
        mean: Subtracted from 0..1 pixels.
        std: Divides what is left.
        crop: The part of the short side that the centre crop keeps.
        interpolation: As in "bicubic".
    """

    pretrained: bool = True
    checkpoint: str | None = None
    rename: tuple[tuple[str, str | None], ...] = ()
    seed: int = 0
    num_classes: int | None = None
    image_size: int | None = None
    mean: tuple[float, ...] | float | None = None
    std: tuple[float, ...] | float | None = None
    crop: float | None = None
    interpolation: str | None = None

    summary: ClassVar[str] = "torchvision: the classification models of PyTorch"
    packages: ClassVar[tuple[str, ...]] = ("torch", "torchvision")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return every architecture, and every architecture with each of its weights."""
        from torchvision.models import get_model_weights

        architectures = _architectures()
        tagged = [f"{name}.{weights.name}" for name in architectures for weights in get_model_weights(name)]
        return sorted([*architectures, *tagged])

    def choices(self) -> Iterable[str]:
        """Return each of the published weights; of random weights or a checkpoint, each architecture."""
        return [name for name in self.list_names() if ("." in name) is self._published]

    def parameters(self) -> int | None:
        """Return the number of weights as published, with a head of 1,000 classes."""
        return int(self._weights().meta["num_params"])

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing files and settings that cannot be."""
        from assay.encoders.identity import require_file
        from assay.encoders.renaming import check_rename

        self._changes().check()
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        check_rename(self.rename)
        if self._published and self.num_classes is not None:
            raise UsageError(
                f"The weights of '{self.name}' have their own classes. Leave num_classes out, or give "
                f"a checkpoint or pretrained=False with it."
            )
        self._weights()

    def modality(self) -> Modality:
        """Return images."""
        return Modality.IMAGE

    def identity(self) -> str:
        """Return the version, the weights, the settings and the hash of the checkpoint."""
        import torchvision

        from assay.encoders.identity import identity_of

        return identity_of(
            f"torchvision {torchvision.__version__} {self._weights().url}", self, self.checkpoint
        )

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights: other ones, if these are random already."""
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Build the model, load its weights and return it on ``device``."""
        from assay.encoders.heads import read_head
        from assay.encoders.images import ImageEncoder
        from assay.encoders.renaming import renamed
        from assay.encoders.weights import fit_state, load_state

        module = self._build()
        if self.checkpoint is not None:
            fit_state(module, renamed(load_state(self.checkpoint), self.rename), self.checkpoint)
        recipe = self._recipe()
        forward = read_head(module.eval(), (recipe.channels, *recipe.size))
        return ImageEncoder(module, forward, recipe, device, self._origin())

    @property
    def _published(self) -> bool:
        return self.pretrained and self.checkpoint is None

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
        from torchvision.models import get_model

        from assay.encoders.identity import model_error
        from assay.encoders.offline import how_to_fetch, keep_offline
        from assay.encoders.weights import seeded

        keep_offline()
        wanted: dict[str, Any] = {} if self.num_classes is None else {"num_classes": self.num_classes}
        architecture = self.name.partition(".")[0]
        if architecture in ("googlenet", "inception_v3") and not self._published:
            wanted["init_weights"] = True  # else torchvision warns that it may change the default
        if architecture.startswith("vit_") and not self._published:
            wanted["image_size"] = self._recipe().size[0]  # its positions are made for one size
        try:
            with seeded(self.seed), redirect_stdout(sys.stderr):  # torch says there what it downloads
                return get_model(architecture, weights=self._weights() if self._published else None, **wanted)
        except URLError as error:
            raise ModelError(
                f"The weights of 'torchvision:{self.name}' are not in the local cache, and {error.reason}. "
                f"{how_to_fetch(f'torchvision:{self.name}')}; or write checkpoint='weights.pth'."
            ) from error
        except Exception as error:  # a download or a build fails in many ways; each fails this model alone
            raise model_error(f"torchvision:{self.name}", error) from error

    def _changes(self) -> PixelChanges:
        from assay.encoders.pixel_changes import PixelChanges

        return PixelChanges(self.image_size, self.crop, self.mean, self.std, self.interpolation)

    def _recipe(self) -> PixelRecipe:
        from assay.encoders.pixels import PixelRecipe

        transforms = self._weights().transforms()
        resize, crop = transforms.resize_size[0], transforms.crop_size[0]
        recipe = PixelRecipe(
            resize,
            crop,
            interpolation=transforms.interpolation.value,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
        )
        return self._changes().applied_to(recipe, Fraction(crop, resize))

    def _origin(self) -> Origin:
        from assay.encoders.identity import Origin

        if self.checkpoint is not None:
            return Origin(self.checkpoint)
        if not self.pretrained:
            return Origin(f"random, seed {self.seed}", is_random=True)
        weights = self._weights()
        stated = weights.meta["_metrics"].get("ImageNet-1K", {}).get("acc@1")
        return Origin(
            f"torchvision: {weights.url}",
            weights.meta.get("license"),
            source_accuracy=None if stated is None else stated / 100,
        )


def _architectures() -> list[str]:
    import torchvision

    return list(torchvision.models.list_models(module=torchvision.models))
