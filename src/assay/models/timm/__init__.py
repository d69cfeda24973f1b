"""Models of timm, the PyTorch image models: ``timm:resnet50.a1_in1k``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import ModelError, UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, folder_hash, identity_of
from assay.encoders.image_source import ImageSource
from assay.encoders.listed import pretraining_of
from assay.encoders.pixel_changes import recipe_from_timm
from assay.encoders.pixels import PixelRecipe, require_channels
from assay.encoders.precision import Precision
from assay.environment.downloads import is_repository_cached, torch_hub_file
from assay.environment.hub_client import HubRepository, opening
from assay.models.timm.listed import (
    TimmFacts,
    facts_of,
    listed_names,
    macs_by_architecture,
    repository_of,
    results,
)
from assay.plugins.address import thawed

_HUB = ("hf_hub:", "hf-hub:")
_FILES = "[!o]*"  # of its weights: those of OpenCLIP are next to them, as open_clip_model.safetensors
_ELSEWHERE = (*_HUB, "local-dir:")  # names that timm resolves itself, on the hub or on disk


@dataclass(frozen=True, slots=True)
class TimmSource(ImageSource):
    """Image models by name, with or without a tag of pretrained weights.

    Features are the pooled map before the classifier (``forward_head(pre_logits=True)``), of vision
    encoders of language models, which have none, the mean of their tokens; preprocessing is the model's own
    configuration.

    >>> TimmSource("resnet18").parameters()  # with the head of 1,000 classes
    11689512

    Attributes:
        num_classes: 0 for no head.
        arguments: More arguments of ``timm.create_model``, as in ``{'pad_type': 'same'}``; for grey images
            ``{'in_chans': 1}``.
    """

    arguments: tuple[tuple[str, object], ...] = ()

    summary: ClassVar[str] = "timm: over a thousand image models"
    packages: ClassVar[tuple[str, ...]] = ("torch", "timm")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return every architecture, and every architecture with a tag of pretrained weights."""
        return sorted({*listed_names(published=False), *listed_names(published=True)})

    def choices(self) -> Iterable[str]:
        """Return each of the published weights; of random weights or a checkpoint, each architecture."""
        return listed_names(published=self.is_published)

    def parameters(self) -> int | None:
        """Return the number of weights: from a table, or by building without memory."""
        changed = (self.num_classes, self.image_size, self.arguments) != (None, None, ())
        listed = None if changed else parameter_table().get(self.name)
        return self.counted() if listed is None else listed

    @classmethod
    def catalogue(cls) -> Iterable[ModelSource]:
        """Return the models with published weights."""
        return map(cls, cls("").choices())

    def entry(self, address: str) -> CatalogueEntry:
        """Return facts about the model from timm's registry and its published results."""
        named = self._named_repository()
        if named is not None:
            cached = is_repository_cached(named)
            return CatalogueEntry(address, Modality.IMAGE, repository=named.name, is_local=cached)
        row = facts_of(self.name)
        if row is None:
            return CatalogueEntry(address, Modality.IMAGE, is_local=True)
        size = self.image_size or row.side
        unchanged = (self.num_classes, self.arguments) == (None, ())
        entry = CatalogueEntry(
            address,
            Modality.IMAGE,
            parameter_table().get(self.name) if unchanged else None,
            macs_by_architecture().get((row.architecture, size)) if unchanged else None,
            size,
            is_local=True,
        )
        return self._as_published(entry, row) if self.is_published else entry

    def _as_published(self, entry: CatalogueEntry, row: TimmFacts) -> CatalogueEntry:
        result = results().get(f"{row.architecture}.{row.tag}")
        repository, url = row.repository, row.url
        return replace(
            entry,
            pretraining=pretraining_of(row.tag),
            licence=row.licence if row.licence != "unknown" else "",
            source_accuracy=result.top1 if result is not None and self.image_size is None else None,
            download_bytes=None if entry.parameters is None else 4 * entry.parameters,
            is_local=is_repository_cached(HubRepository.parse(repository), _FILES)
            if repository
            else bool(url) and torch_hub_file(url).is_file(),
            repository=repository,
            cache_file=str(torch_hub_file(url)) if url and not repository else "",
        )

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing files and weights that were never published."""
        self.check_settings()
        _as_dict(self.arguments)
        if not self.name.startswith(_ELSEWHERE):
            self._check_name()

    def identity(self) -> str:
        """Return the version, settings, and commit or hash of files that decide the weights."""
        import timm

        folder = self.name.removeprefix("local-dir:")
        content = f" {folder_hash(Path(folder))}" if folder != self.name else ""
        named = self._named_repository()
        commit = None if named is None else named.best_commit()
        if named is not None and commit != named.revision:  # the name itself is among the settings
            content = f" {commit}"
        as_pairs = replace(self, arguments=tuple(self.arguments))  # a dict is the same as pairs
        return identity_of(f"timm {timm.__version__}{content}", as_pairs, self.checkpoint)

    def open(self, device: str) -> Model:
        """Build the model, load its weights and return it on ``device``."""
        from timm.data import resolve_model_data_config

        from assay.encoders.images import ImageEncoder
        from assay.encoders.torch_model import Outputs

        module: Any = self._build()
        self.load_checkpoint(module)

        def forward(batch: Any) -> Outputs:
            maps = module.forward_features(batch)
            features = _below_head(module, maps)
            return Outputs(features, module.forward_head(maps) if module.num_classes else None)

        config = resolve_model_data_config(module)
        recipe = self.changes.applied_to(self._recipe(module, config), config["crop_pct"])
        precision = Precision(self.dtype, device)
        origin = self.origin(self._published(module))
        return self.compiled(ImageEncoder(module, forward, recipe, device, origin, precision=precision))

    def counted(self) -> int:
        """Build the architecture without memory and count its weights."""
        import torch

        from assay.encoders.torch_model import weight_count

        with torch.device("meta"):
            return weight_count(replace(self, pretrained=False, checkpoint=None)._build())

    def _check_name(self) -> None:
        import timm
        from timm.models import is_model_pretrained

        architecture, _, tag = self.name.partition(".")
        if not timm.is_model(architecture):
            raise UnknownName("timm model", self.name, self.list_names())
        if tag and self.name not in _tagged():
            raise UnknownName("timm model", self.name, timm.list_pretrained(architecture))
        if self.is_published and not is_model_pretrained(self.name):
            raise UsageError(
                f"timm publishes no weights of '{self.name}'. Write 'timm:{self.name}(pretrained=False)' for "
                f"random weights, or 'timm:{self.name}(checkpoint='weights.pth')' for weights of your own."
            )

    def _build(self) -> Any:
        import timm

        from assay.encoders.weights import seeded

        wanted = _as_dict(self.arguments)
        if self.num_classes is not None:
            wanted["num_classes"] = self.num_classes
        if self.image_size is not None and _has_fixed_size(self.name):
            wanted["img_size"] = self.image_size
        repository = self._repository()
        with (
            opening(f"timm:{self.name}", from_hub=repository is not None, repository=repository),
            seeded(self.seed),
        ):
            try:
                return timm.create_model(self._pinned(), pretrained=self.is_published, **wanted)
            except KeyError as error:
                if error.args != ("architecture",):
                    raise
                raise ModelError(
                    f"'timm:{self.name}' is not a model of timm: its config.json names no architecture. If "
                    f"it is one of transformers, write 'hf:{self.name.partition(':')[2]}'."
                ) from error

    def _named_repository(self) -> HubRepository | None:
        """Return the repository that is named instead of a model of timm's list."""
        prefix = next(filter(self.name.startswith, _HUB), None)
        return None if prefix is None else HubRepository.parse(self.name.removeprefix(prefix))

    def _repository(self) -> HubRepository | None:
        """Return the repository on the hub that is needed; None if there is none."""
        from timm.models import get_pretrained_cfg, is_model

        named = self._named_repository()
        if named is not None or not self.is_published or not is_model(self.name):
            return named
        config = get_pretrained_cfg(self.name)
        hub = repository_of(config, self.name) if config else ""
        return HubRepository.parse(hub) if hub else None

    def _pinned(self) -> str:
        """Return the name, on the hub with the commit that its revision stands for now."""
        named = self._named_repository()
        commit = None if named is None else named.best_commit()
        return self.name if named is None or commit is None else f"hf_hub:{named.name}@{commit}"

    def _recipe(self, module: Any, config: dict[str, Any]) -> PixelRecipe:
        """Return the preprocessing, for as many channels as the first convolution reads."""
        recipe, first = recipe_from_timm(config), module.pretrained_cfg.get("first_conv")
        parts = dict(module.named_modules())
        channels = getattr(parts.get(first), "in_channels", None) if isinstance(first, str) else None
        if channels in (None, recipe.channels):
            return recipe
        require_channels(channels, f"'timm:{self.name}'")
        if channels != 1:
            return recipe
        mean, std = (sum(values) / len(values) for values in (recipe.mean, recipe.std))
        return replace(recipe, channels=1, mean=(mean,), std=(std,), border=recipe.border[:1])

    def _published(self, module: Any) -> Origin:
        config = module.pretrained_cfg
        address = config.get("hf_hub_id") or config.get("url") or config.get("file") or self.name
        return Origin(f"timm: {address}", config.get("license"))


def _as_dict(pairs: tuple[object, ...]) -> dict[str, Any]:
    if not all(isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise UsageError(
            f"Setting 'arguments' is {pairs!r}; write a dict or pairs, as in {{'pad_type': 'same'}}."
        )
    return {str(name): thawed(value) for name, value in pairs}  # type: ignore[misc,has-type]  # checked above


@cache
def parameter_table() -> dict[str, int]:
    """Return the number of weights by name, the source head included: building a model to count is slow."""
    text = Path(__file__).with_name("parameters.tsv").read_text("utf-8")
    return {name: int(count) for name, count in (line.split("\t") for line in text.splitlines())}


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
