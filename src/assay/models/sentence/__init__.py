"""Sentence encoders through sentence-transformers: ``sentence:all-MiniLM-L6-v2``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import ModelError, UsageError
from assay.core.model import Model, ModelSource
from assay.core.task import Modality

if TYPE_CHECKING:
    from assay.encoders.identity import Origin


@dataclass(frozen=True, slots=True)
class SentenceSource(ModelSource):
    """Sentence encoders by name or folder, with their own pooling, prompts and normalisation.

    Features equal ``SentenceTransformer.encode``. Those of a pair are u, v, abs(u - v) and u * v in a row.

    Attributes:
        pretrained: False for random weights of the same architecture.
        seed: Draws random weights.
        prompt: A text before each text.
        prompt_name: The name of a prompt that the model comes with.
        max_tokens: The most tokens of a text; None for what the model comes with.
    """

    pretrained: bool = True
    seed: int = 0
    prompt: str | None = None
    prompt_name: str | None = None
    max_tokens: int | None = None

    summary: ClassVar[str] = "sentence-transformers: sentence encoders of the hub or of a folder"
    packages: ClassVar[tuple[str, ...]] = ("torch", "sentence_transformers")

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return none: any name of the hub and any folder may be written."""
        return ()

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a model and for wrong settings; asks no hub."""
        if self.prompt is not None and self.prompt_name is not None:
            raise UsageError("Settings 'prompt' and 'prompt_name' exclude one another. Write one of them.")
        if self.max_tokens is not None and self.max_tokens < 3:
            raise UsageError(f"Setting 'max_tokens' is {self.max_tokens}; write 3 or more, as in 256.")
        if self._is_local and not (Path(self.name).expanduser() / "config.json").is_file():
            raise UsageError(
                f"There is no 'config.json' in '{self.name}'. Write the folder of a saved model."
            )

    def modality(self) -> Modality:
        """Return texts."""
        return Modality.TEXT

    def identity(self) -> str:
        """Return the version of the library, the settings, and the revision or the hash of the folder."""
        import sentence_transformers

        from assay.encoders.hub import commit_of
        from assay.encoders.identity import folder_hash, identity_of

        path, revision = self._address()
        content = (
            folder_hash(Path(path))
            if self._is_local
            else commit_of(self._repository, "modules.json", revision)
        )
        return identity_of(f"sentence-transformers {sentence_transformers.__version__} {content}", self)

    def untrained(self) -> ModelSource:
        """Return the same architecture with random weights: other ones, if these are random already."""
        return replace(self, pretrained=False, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Load the modules of the encoder and return it on ``device``."""
        from assay.encoders.quiet import quiet
        from assay.encoders.weights import seeded
        from assay.models.sentence.encoder import Prompt, SentenceEncoder, randomised

        with quiet(), seeded(self.seed):
            module = self._loaded(device)
            if not self.pretrained:
                randomised(module, self.seed)
        if self.prompt_name is not None and self.prompt_name not in module.prompts:
            raise ModelError(
                f"'sentence:{self.name}' has no prompt '{self.prompt_name}'. "
                f"It has: {', '.join(module.prompts) or 'none'}."
            )
        if self.max_tokens is not None:
            module.max_seq_length = min(self.max_tokens, module.max_seq_length or self.max_tokens)
        return SentenceEncoder(module, Prompt(self.prompt, self.prompt_name), self._origin())

    def _origin(self) -> Origin:
        from assay.encoders.identity import Origin
        from assay.encoders.model_card import origin_of_folder, origin_of_hub

        if not self.pretrained:
            return Origin(f"random, seed {self.seed}", is_random=True)
        if self._is_local:
            return origin_of_folder("sentence", self.name)
        return origin_of_hub("sentence", self._repository, self._address()[1], "modules.json")

    def _loaded(self, device: str) -> Any:
        from sentence_transformers import SentenceTransformer

        from assay.encoders.hub import hub_error, settle_hub
        from assay.encoders.identity import model_error

        path, revision = self._address()
        if not self._is_local:
            settle_hub()
        try:
            return SentenceTransformer(path, device=device, revision=revision, trust_remote_code=False)
        except Exception as error:  # a model of the hub fails in many ways; each fails this model alone
            explained = model_error if self._is_local else hub_error
            raise explained(f"sentence:{self.name}", error) from error

    @property
    def _is_local(self) -> bool:
        return self.name.startswith((".", "/", "~")) or Path(self.name).is_dir()

    @property
    def _repository(self) -> str:
        path = self._address()[0]
        return path if "/" in path else f"sentence-transformers/{path}"

    def _address(self) -> tuple[str, str | None]:
        if self._is_local:
            return str(Path(self.name).expanduser()), None
        path, _, revision = self.name.partition("@")
        return path, revision or None
