"""Models of OpenCLIP, for images or texts: ``openclip:ViT-B-32.laion2b_s34b_b79k``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, identity_of, random_origin, require_file
from assay.encoders.listed import listed_in
from assay.encoders.precision import Precision, check_dtype
from assay.environment.downloads import is_repository_cached
from assay.environment.hub_client import HubRepository, opening

_HUB = "hf-hub:"
_LISTED = Path(__file__).with_name("listed.tsv")
_FILES = "*[Cc][Ll][Ii][Pp]*"  # of its weights: those of timm are next to them, as model.safetensors
_TOWERS = {"image": Modality.IMAGE, "text": Modality.TEXT}


@dataclass(frozen=True, slots=True)
class OpenClipSource(ModelSource):
    """One tower of a model trained on image-text pairs; the name of the weights follows after a dot.

    Models that OpenCLIP does not list are named by their repository: ``openclip:hf-hub:org/name``.

    Features are those of ``encode_image`` or ``encode_text``, in the space that both share; pixels and texts
    go through the model's own preprocessing and tokenizer.

    >>> OpenClipSource("ViT-B-32.laion2b_s34b_b79k", tower="text").modality()
    <Modality.TEXT: 'text'>

    Attributes:
        tower: "image" or "text".
        normalise: True for features of length 1, as the model was trained to compare them.
        pretrained: False for random weights.
        checkpoint: A file with weights of both towers instead of the published ones.
        seed: The seed of random weights.
        image_size: The side of the input in pixels.
        dtype: The precision of encoding: "auto", "float32", "bfloat16" or "float16".
    """

    tower: str = "image"
    normalise: bool = False
    pretrained: bool = True
    checkpoint: str | None = None
    seed: int = 0
    image_size: int | None = None
    dtype: str = "auto"

    summary: ClassVar[str] = "OpenCLIP: the image and text towers of CLIP models"
    packages: ClassVar[tuple[str, ...]] = ("torch", "open_clip")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return every architecture, and every architecture with each of its weights."""
        import open_clip

        return [*open_clip.list_models(), *(f"{name}.{tag}" for name, tag in open_clip.list_pretrained())]

    def choices(self) -> Iterable[str]:
        """Return each of the published weights; of random weights or a checkpoint, each architecture."""
        return [name for name in self.list_names() if ("." in name) is self._published]

    @classmethod
    def catalogue(cls) -> Iterable[ModelSource]:
        """Return both towers of each model with published weights."""
        names = [name for name in listed_in(_LISTED) if not name.endswith(")")]
        return [cls(name, tower=tower) for tower in _TOWERS for name in names]

    def entry(self, address: str) -> CatalogueEntry:
        """Return facts about the tower from OpenCLIP's profiles and results."""
        named = f"{self.name}(tower='text')" if self.tower == "text" else self.name
        listed = listed_in(_LISTED).get(named, CatalogueEntry("", self.modality()))
        repository = self._repository or HubRepository(listed.repository)
        cached = bool(repository.name) and is_repository_cached(repository, _FILES)
        if self._published:
            is_local = cached and (self._repository is not None or not _borrows(self._parts[0]))
            return replace(listed, address=address, is_local=is_local, repository=repository.name)
        size = None if self.image_size else listed.input_size
        return CatalogueEntry(address, self.modality(), listed.parameters, input_size=size, is_local=True)

    def check(self) -> None:
        """Raise ``UsageError`` for unknown names, missing files and weights that are not named."""
        import open_clip

        architecture, tag = self._parts
        check_dtype(self.dtype)
        if self.tower not in _TOWERS:
            raise UsageError(f"Setting 'tower' is {self.tower!r}; write 'image' or 'text'.")
        if self.image_size is not None and self.image_size < 1:
            raise UsageError(f"Setting 'image_size' is {self.image_size}; write a side in pixels, as in 224.")
        if self._repository is not None:
            if self._repository.revision is not None:
                raise UsageError(
                    f"OpenCLIP opens the newest commit of a repository. Write 'openclip:{_HUB}"
                    f"{self._repository.name}', without '@{self._repository.revision}'."
                )
        elif architecture not in open_clip.list_models():
            raise UnknownName("OpenCLIP model", self.name, self.list_names())
        if self.checkpoint is not None:
            require_file(self.checkpoint)
        if self._repository is None:
            self._check_tag(architecture, tag)

    def _check_tag(self, architecture: str, tag: str) -> None:
        import open_clip

        tags = open_clip.list_pretrained_tags_by_model(architecture)
        if tag and tag not in tags:
            raise UnknownName(f"weights of OpenCLIP's {architecture}", tag, tags)
        if self._published and not tag:
            fault = (
                f"'openclip:{self.name}' names no weights" if tags else "OpenCLIP publishes no such weights"
            )
            tagged = f" 'openclip:{architecture}.{tags[0]}' or another of {len(tags)}," if tags else ""
            raise UsageError(
                f"{fault}. Write{tagged} 'openclip:{self.name}(pretrained=False)' for random weights, or "
                f"'openclip:{self.name}(checkpoint='weights.pt')' for weights of your own."
            )

    def modality(self) -> Modality:
        """Return the modality of the tower."""
        return _TOWERS[self.tower]

    def identity(self) -> str:
        """Return the version, where the weights lie, the settings and the hash of the checkpoint."""
        import open_clip

        return identity_of(f"open_clip {open_clip.__version__} {self._where()}", self, self.checkpoint)

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights, different from the current ones."""
        return replace(self, pretrained=False, checkpoint=None, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Build both towers, load their weights, and return one on ``device``."""
        from assay.encoders.weights import load_checkpoint
        from assay.models.openclip.towers import image_tower, text_tower

        module = self._built()
        if self.checkpoint is not None:
            load_checkpoint(module, self.checkpoint)
        where = device, self._origin(), Precision(self.dtype, device)
        if self.tower == "image":
            return image_tower(module, *where, normalise=self.normalise)
        return text_tower(module, self._tokenizer(), *where, normalise=self.normalise)

    @property
    def _parts(self) -> tuple[str, str]:
        if self.name.startswith(_HUB):
            return self.name, ""
        architecture, _, tag = self.name.partition(".")
        return architecture, tag

    @property
    def _repository(self) -> HubRepository | None:
        """The repository that is named instead of a model of OpenCLIP's list."""
        named = self.name.removeprefix(_HUB)
        return None if named == self.name else HubRepository.parse(named)

    @property
    def _published(self) -> bool:
        return self.pretrained and self.checkpoint is None

    def _facts(self) -> dict[str, Any]:
        """Return OpenCLIP's facts about the weights."""
        from open_clip.pretrained import get_pretrained_cfg

        return dict(get_pretrained_cfg(*self._parts) or {}) if self._repository is None else {}

    def _built(self) -> Any:
        import open_clip

        from assay.encoders.weights import seeded
        from assay.models.openclip.towers import without_messages

        architecture, tag = self._parts
        with self._opening(from_hub=self._published), seeded(self.seed), without_messages():
            return open_clip.create_model(
                architecture,
                tag or None,
                load_weights=self._published,
                require_pretrained=self._published,  # else a download that fails leaves random weights
                pretrained_text=False,
                force_image_size=self.image_size,
                force_quick_gelu=bool(self._facts().get("quick_gelu")),  # else OpenAI's read wrongly
            )

    def _tokenizer(self) -> Any:
        import open_clip

        from assay.models.openclip.towers import without_messages

        with self._opening(from_hub=False), without_messages():
            return open_clip.get_tokenizer(self._parts[0])

    def _opening(self, *, from_hub: bool) -> AbstractContextManager[None]:
        """Open inside, where weights come from the hub, or where the text tower borrows files of it."""
        repository = self._repository
        borrows = repository is not None or _borrows(self._parts[0])
        listed = str(self._facts().get("hf_hub") or "").split("/")  # org/name/, or org/name/file
        if from_hub and repository is None and len(listed) > 1:
            repository = HubRepository("/".join(listed[:2]))
        return opening(f"openclip:{self.name}", from_hub=from_hub or borrows, repository=repository)

    def _where(self) -> str:
        if self._repository is not None:
            return f"{self._repository.name} at {self._repository.best_commit()}"
        known = self._facts() if self._published else {}
        return str(known.get("hf_hub") or known.get("url") or self.name).rstrip("/")

    def _origin(self) -> Origin:
        if self.checkpoint is not None:
            return Origin(self.checkpoint)
        return Origin(f"openclip: {self._where()}") if self.pretrained else random_origin(self.seed)


def _borrows(architecture: str) -> bool:
    """Return whether the text tower or its tokenizer comes from the hub, even with random weights."""
    import open_clip

    return any(key.startswith("hf_") for key in open_clip.get_model_config(architecture)["text_cfg"])
