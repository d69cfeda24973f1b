"""A model of transformers as it is stored: in a folder, or in a repository of the hub at a revision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from assay.core.errors import ModelError, UsageError
from assay.encoders.hub import commit_of, hub_error, settle_hub
from assay.encoders.identity import Origin, folder_hash, model_error
from assay.encoders.model_card import origin_of_folder, origin_of_hub
from assay.models.hf.remote_code import check_trust, needs_trust, refuse_other_code


class Place(NamedTuple):
    """A folder, or a repository with the revision that the user wrote."""

    path: str
    revision: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """Loads what lies in one place.

    Attributes:
        name: A folder, or ``org/name`` or ``org/name@revision`` on the hub.
        trusts: Whether Python code that lies there is run.
    """

    name: str
    trusts: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is a folder."""
        return self.name.startswith((".", "/", "~")) or Path(self.name).is_dir()

    @property
    def place(self) -> Place:
        """Where that is."""
        if self.is_local:
            return Place(str(Path(self.name).expanduser()), None)
        path, _, revision = self.name.partition("@")
        return Place(path, revision or None)

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a model, and for code that may change; asks no hub."""
        if self.trusts:
            check_trust("hf", *self.place, is_local=self.is_local)
        if self.is_local and not (Path(self.place.path) / "config.json").is_file():
            raise UsageError(
                f"There is no 'config.json' in '{self.name}'. Write the folder of a saved model."
            )

    def content(self) -> str:
        """Return the hash of the folder, or the commit on the hub."""
        path, revision = self.place
        return folder_hash(Path(path)) if self.is_local else commit_of(path, "config.json", revision)

    def origin(self) -> Origin:
        """Return where the weights came from, and their licence where a model card states it."""
        if self.is_local:
            return origin_of_folder("hf", self.name)
        return origin_of_hub("hf", *self.place, "config.json")

    def config(self) -> Any:
        """Return the configuration; without one nothing can be planned, so it raises ``UsageError``."""
        from transformers import AutoConfig

        try:
            return self.loaded(AutoConfig)
        except ModelError as error:
            raise UsageError(str(error)) from error

    def loaded(self, family: Any, **wanted: Any) -> Any:
        """Return what a class of transformers makes of what lies there.

        Raises:
            ModelError: It is not there, cannot be had, or is broken.
        """
        path, revision = self.place
        if not self.is_local:
            settle_hub()
        try:
            if self.trusts:
                refuse_other_code(path, revision)
            return family.from_pretrained(path, revision=revision, trust_remote_code=self.trusts, **wanted)
        except ModelError:
            raise
        except Exception as error:  # a model of the hub fails in many ways; each fails this model alone
            if isinstance(error, ValueError) and "trust_remote_code=True" in str(error):
                raise needs_trust("hf", path, revision, is_local=self.is_local) from error
            explained = model_error if self.is_local else hub_error
            raise explained(f"hf:{self.name}", error) from error
