"""Models of timm, the PyTorch image models: ``timm:resnet50.a1_in1k``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.encoders.identity import Origin
    from assay.encoders.pixel_changes import PixelChanges
    from assay.encoders.pixels import PixelRecipe

_ELSEWHERE = ("hf_hub:", "hf-hub:", "local-dir:")  # names that timm resolves itself, on the hub or on disk


@dataclass(frozen=True, slots=True)
class TimmSource(ModelSource):
    """Image models by name, with or without a tag of pretrained weights.

    Features are the pooled map before the classifier (``forward_head(pre_logits=True)``), of vision
    encoders of language models, which have none, the mean of their tokens; preprocessing is the model's own
    configuration.

    Attributes:
        pretrained: False for random weights.
        checkpoint: A file with weights instead of the published ones.
        rename: How names of the checkpoint begin, and how they begin in the model, as in
            ``(('backbone.', ''), ('projector.', None))``; None leaves those out.
        seed: Draws random weights, where there are any.
        num_classes: Classes of the head, for a checkpoint with a head of its own; 0 for none.
        image_size: Side of the input in pixels.
        mean: Subtracted from 0..1 pixels.
        std: Divides what is left.
        crop: The part of the short side that the centre crop keeps.
        interpolation: As in "bicubic".
        arguments: More arguments of ``timm.create_model``, as in ``(('pad_type', 'same'),)``.
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
    arguments: tuple[tuple[str, object], ...] = ()

    summary: ClassVar[str] = "timm: over a thousand image models"
    packages: ClassVar[tuple[str, ...]] = ("torch", "timm")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return every architecture, and every architecture with a tag of pretrained weights."""
        import timm

        return sorted({*timm.list_models(), *timm.list_models(pretrained=True)})

    def choices(self) -> Iterable[str]:
        """Return each of the published weights; of random weights or a checkpoint, each architecture."""
        import timm

        return [*timm.list_models(pretrained=self._published)]

    def parameters(self) -> int | None:
        """Return the number of weights: from a table, or by building without memory."""
        from assay.models.timm.parameter_table import parameters_of

        changed = (self.num_classes, self.image_size, self.arguments) != (None, None, ())
        known = None if changed else parameters_of(self.name)
        return self.counted() if known is None else known

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing files and weights that were never published."""
        from assay.encoders.identity import require_file
        from assay.encoders.renaming import check_rename

        self._changes().check()
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        check_rename(self.rename)
        _arguments(self.arguments)
        if not self.name.startswith(_ELSEWHERE):
            self._check_name()

    def modality(self) -> Modality:
        """Return images."""
        return Modality.IMAGE

    def identity(self) -> str:
        """Return the versions, settings and the hash of the checkpoint that decide the weights."""
        import timm

        from assay.encoders.identity import folder_hash, identity_of

        folder = self.name.removeprefix("local-dir:")
        content = f" {folder_hash(Path(folder))}" if folder != self.name else ""
        return identity_of(f"timm {timm.__version__}{content}", self, self.checkpoint)

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights: other ones, if these are random already."""
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Build the model, load its weights and return it on ``device``."""
        from assay.encoders.images import ImageEncoder, Outputs
        from assay.encoders.renaming import renamed
        from assay.encoders.weights import fit_state, load_state

        module: Any = self._build()
        if self.checkpoint is not None:
            fit_state(module, renamed(load_state(self.checkpoint), self.rename), self.checkpoint)

        def forward(batch: Any) -> Outputs:
            maps = module.forward_features(batch)
            features = _below_head(module, maps)
            return Outputs(features, module.forward_head(maps) if module.num_classes else None)

        return ImageEncoder(module, forward, self._recipe(module), device, self._origin(module))

    def counted(self) -> int:
        """Build the architecture without memory and count its weights."""
        import torch

        from assay.encoders.cost import weight_count

        with torch.device("meta"):
            return weight_count(replace(self, pretrained=False, checkpoint=None)._build())

    @property
    def _published(self) -> bool:
        return self.pretrained and self.checkpoint is None

    def _check_name(self) -> None:
        import timm
        from timm.models import is_model_pretrained

        architecture, _, tag = self.name.partition(".")
        if not timm.is_model(architecture):
            raise UnknownName("timm model", self.name, self.list_names())
        if tag and self.name not in _tagged():
            raise UnknownName("timm model", self.name, timm.list_pretrained(architecture))
        if self._published and not is_model_pretrained(self.name):
            raise UsageError(
                f"timm publishes no weights of '{self.name}'. Write 'timm:{self.name}(pretrained=False)' for "
                f"random weights, or 'timm:{self.name}(checkpoint='weights.pth')' for weights of your own."
            )

    def _build(self) -> Any:
        import timm

        from assay.encoders.hub import hub_error, settle_hub
        from assay.encoders.identity import model_error
        from assay.encoders.weights import seeded

        downloads = self._published and not self.name.startswith("local-dir:")
        if downloads:
            settle_hub()
        wanted = dict(_arguments(self.arguments))
        if self.num_classes is not None:
            wanted["num_classes"] = self.num_classes
        if self.image_size is not None and _has_fixed_size(self.name):
            wanted["img_size"] = self.image_size
        try:
            with seeded(self.seed):
                return timm.create_model(self.name, pretrained=self._published, **wanted)
        except Exception as error:  # timm and its hub raise many kinds; each fails this model alone
            explained = hub_error if downloads else model_error
            raise explained(f"timm:{self.name}", error) from error

    def _changes(self) -> PixelChanges:
        from assay.encoders.pixel_changes import PixelChanges

        return PixelChanges(self.image_size, self.crop, self.mean, self.std, self.interpolation)

    def _recipe(self, module: Any) -> PixelRecipe:
        from timm.data import resolve_model_data_config

        from assay.encoders.pixel_changes import recipe_from_timm

        config = resolve_model_data_config(module)
        return self._changes().applied_to(recipe_from_timm(config), config["crop_pct"])

    def _origin(self, module: Any) -> Origin:
        from assay.encoders.identity import Origin

        if self.checkpoint is not None:
            return Origin(self.checkpoint)
        if not self.pretrained:
            return Origin(f"random, seed {self.seed}", is_random=True)
        config = module.pretrained_cfg
        where = config.get("hf_hub_id") or config.get("url") or config.get("file") or self.name
        return Origin(f"timm: {where}", config.get("license"))


def _arguments(pairs: tuple[object, ...]) -> dict[str, Any]:
    if not all(isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise UsageError(f"Setting 'arguments' is {pairs!r}; write pairs, as in (('pad_type', 'same'),).")
    return dict(pairs)  # type: ignore[arg-type]  # the line above checks the pairs


@cache
def _tagged() -> frozenset[str]:
    """Return every name with a tag: timm would search all of them for each."""
    import timm

    return frozenset(timm.list_models(pretrained=True))


def _has_fixed_size(name: str) -> bool:
    from timm.models import get_pretrained_cfg, is_model

    config = get_pretrained_cfg(name) if is_model(name) else None
    return bool(config and config.fixed_input_size)


def _below_head(module: Any, maps: Any) -> Any:
    """Return the features of a batch of maps: examples x width."""
    from assay.encoders.images import pooled

    try:
        return pooled(module.forward_head(maps, pre_logits=True))
    except NotImplementedError:  # an encoder of a language model, which reads its tokens: channels come last
        return maps.flatten(1, -2).mean(1)
