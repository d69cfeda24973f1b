"""Sentence encoders through sentence-transformers: ``sentence:all-MiniLM-L6-v2``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import ModelError, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality
from assay.encoders.identity import Origin, identity_of, random_origin
from assay.encoders.listed import listed_in
from assay.encoders.placement import Placement
from assay.encoders.precision import Precision, check_dtype, dtype_of_weights
from assay.encoders.repository import Repository
from assay.environment.devices import half_precision
from assay.environment.downloads import cached_repositories
from assay.environment.transformers_logging import quiet

_OWNER = "sentence-transformers"  # of repositories that are named without one
_LISTED = Path(__file__).with_name("listed.tsv")


@dataclass(frozen=True, slots=True)
class SentenceSource(ModelSource):
    """Sentence encoders by name or folder, with their own pooling, prompts and normalisation.

    Features equal ``SentenceTransformer.encode``. Features of a pair concatenate u, v, abs(u - v) and u * v.

    >>> SentenceSource("all-MiniLM-L6-v2", max_tokens=64).modality()
    <Modality.TEXT: 'text'>

    Attributes:
        pretrained: False for random weights of the same architecture.
        seed: The seed of random weights.
        prompt: A string to prepend to each text.
        prompt_name: The name of one of the model's prompts.
        max_tokens: The maximum number of tokens of a text; None for the model's default.
        dtype: The precision: "auto", "float32", "bfloat16" or "float16"; weights are loaded in it.
        device_map: How weights are spread over all devices by accelerate, as in "auto"; None for one device.
        quantization: "8bit" or "4bit", by bitsandbytes; such weights are not trained.
    """

    pretrained: bool = True
    seed: int = 0
    prompt: str | None = None
    prompt_name: str | None = None
    max_tokens: int | None = None
    dtype: str = "auto"
    device_map: str | None = None
    quantization: str | None = None

    summary: ClassVar[str] = "sentence-transformers: sentence encoders of the hub or of a folder"
    packages: ClassVar[tuple[str, ...]] = ("torch", "sentence_transformers")

    @classmethod
    def catalogue(cls) -> Iterable[ModelSource]:
        """Return the models of MTEB that open without code of their own, and those in the hub's cache."""
        cached = (name.removeprefix(f"{_OWNER}/") for name in cached_repositories(with_file="modules.json"))
        return map(cls, dict.fromkeys((*listed_in(_LISTED), *cached)))

    def entry(self, address: str) -> CatalogueEntry:
        """Return the results of the model on MTEB."""
        entry = self._repository.entry(address, Modality.TEXT, _LISTED)
        return entry if self.pretrained else replace(entry, pretraining="", licence="", source_accuracy=None)

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a model and for invalid settings; works offline."""
        if self.prompt is not None and self.prompt_name is not None:
            raise UsageError("Settings 'prompt' and 'prompt_name' exclude one another. Write one of them.")
        if self.max_tokens is not None and self.max_tokens < 3:
            raise UsageError(f"Setting 'max_tokens' is {self.max_tokens}; write 3 or more, as in 256.")
        check_dtype(self.dtype)
        self._placement.check("sentence")
        self._repository.check()

    def modality(self) -> Modality:
        """Return the text modality."""
        return Modality.TEXT

    def identity(self) -> str:
        """Return the version of the library, the settings, and the revision or the hash of the folder."""
        import sentence_transformers

        library = f"sentence-transformers {sentence_transformers.__version__}"
        return identity_of(f"{library} {self._repository.content()}", self)

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights, different from the current ones."""
        return replace(self, pretrained=False, seed=self.seed + 1, device_map=None, quantization=None)

    def open(self, device: str) -> Model:
        """Load the modules of the encoder and return it on ``device``."""
        import torch

        from assay.encoders.torch_model import dtype_of
        from assay.encoders.weights import seeded
        from assay.models.sentence.encoder import Prompt, SentenceEncoder, randomised

        with quiet(), seeded(self.seed):
            module = self._loaded(device)
            dtype = dtype_of_weights(self.dtype, dtype_of(module), half_precision(device))
            module = module.to(getattr(torch, dtype))
            if not self.pretrained:
                randomised(module, self.seed)
        if self.prompt_name is not None and self.prompt_name not in module.prompts:
            raise ModelError(
                f"'sentence:{self.name}' has no prompt '{self.prompt_name}'. "
                f"It has: {', '.join(module.prompts) or 'none'}."
            )
        if self.max_tokens is not None:
            module.max_seq_length = min(self.max_tokens, module.max_seq_length or self.max_tokens)
        precision = Precision(self.dtype, device, dtype)
        return SentenceEncoder(module, Prompt(self.prompt, self.prompt_name), self._origin(), precision)

    def _origin(self) -> Origin:
        return self._repository.origin() if self.pretrained else random_origin(self.seed)

    def _loaded(self, device: str) -> Any:
        from sentence_transformers import SentenceTransformer

        with self._repository.opening():
            path, revision = self._repository.pinned
            return SentenceTransformer(
                path,
                device=device,
                revision=revision,
                trust_remote_code=False,
                model_kwargs=self._placement.arguments(device) or None,
            )

    @property
    def _placement(self) -> Placement:
        return Placement(self.device_map, self.quantization)

    @property
    def _repository(self) -> Repository:
        return Repository("sentence", self.name, _OWNER)
