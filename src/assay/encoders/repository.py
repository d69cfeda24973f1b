"""The files of a model in a folder, or in a repository of the Hugging Face hub at a revision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UsageError
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.encoders.identity import Origin, folder_hash
from assay.encoders.listed import listed_in
from assay.environment.downloads import cached_bytes
from assay.environment.hub_client import HubRepository, opening, settle_hub


class Location(NamedTuple):
    """A folder, or a repository with the user's revision."""

    path: str
    revision: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """The files of a model.

    Attributes:
        source: As it is written before the colon.
        name: A folder, or ``org/name`` or ``org/name@revision`` on the hub.
        owner: Of repositories that are named without one.
    """

    source: str
    name: str
    owner: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder."""
        return self.name.startswith((".", "/", "~")) or Path(self.name).is_dir()

    @property
    def location(self) -> Location:
        """The location of the files."""
        if self.is_local:
            return Location(str(path_of(self.name)), None)
        path, _, revision = self.name.partition("@")
        return Location(path, revision or None)

    @property
    def local_folder(self) -> Path:
        """The folder that holds the files here; of a repository, its snapshot in the hub's cache."""
        return Path(self.location.path) if self.is_local else self._hub.snapshot

    @property
    def pinned(self) -> Location:
        """The location of the files, on the hub at the commit that the user's revision stands for now."""
        return (
            self.location if self.is_local else Location(self._hub.name, self._commit() or self._hub.revision)
        )

    def check(self) -> None:
        """Raise ``UsageError`` for a folder without a model; does not contact the hub."""
        if self.is_local and not (Path(self.location.path) / "config.json").is_file():
            raise UsageError(
                f"There is no 'config.json' in '{self.name}'. Write the folder of a saved model."
            )

    def content(self) -> str:
        """Return the hash of the folder, or the commit on the hub."""
        if self.is_local:
            return folder_hash(Path(self.location.path))
        return self._commit() or self._hub.revision or "main"

    def origin(self) -> Origin:
        """Return the origin of the weights, and their licence if a model card states it."""
        if self.is_local:
            card = Path(self.location.path) / "README.md"
            return Origin(f"{self.source}: {self.name}", _licence(card if card.is_file() else None))
        name, revision = self._hub.name, self.content()
        return Origin(f"{self.source}: {name} at {revision[:12]}", _licence(_card(name, revision)))

    def entry(self, address: str, modality: Modality | None, table: Path) -> CatalogueEntry:
        """Return what a table says of the model by the name of its repository, and whether it is local.

        Args:
            address: Of the model.
            modality: What it reads; None for what the table says.
            table: As for :func:`~assay.encoders.listed.listed_in`.
        """
        if self.is_local:
            return CatalogueEntry(address, modality, is_local=True)
        listed = listed_in(table).get(
            self._hub.name.removeprefix(f"{self.owner}/"), CatalogueEntry("", modality)
        )
        cached = cached_bytes(self._hub)
        size = cached or listed.download_bytes
        return replace(
            listed,
            address=address,
            download_bytes=size,
            is_local=bool(cached),
            repository=self._hub.name,
        )

    def opening(self) -> AbstractContextManager[None]:
        """Convert errors in the context to a ``ModelError`` that suggests a fix."""
        repository = None if self.is_local else self._hub
        return opening(f"{self.source}:{self.name}", from_hub=not self.is_local, repository=repository)

    @property
    def _hub(self) -> HubRepository:
        path, revision = self.location
        return HubRepository(path if "/" in path or not self.owner else f"{self.owner}/{path}", revision)

    def _commit(self) -> str | None:
        return self._hub.best_commit()


def _card(repository: str, commit: str) -> Path | None:
    from huggingface_hub import hf_hub_download

    local = not settle_hub()
    try:
        return Path(hf_hub_download(repository, "README.md", revision=commit, local_files_only=local))
    except Exception:  # without a model card the licence is unknown
        return None


def _licence(card: Path | None) -> str | None:
    from huggingface_hub import ModelCard

    if card is None:
        return None
    try:
        stated = ModelCard.load(card, ignore_metadata_errors=True).data
    except Exception:  # without a readable card the licence is unknown
        return None
    licence = getattr(stated, "license_name", None) if stated.license == "other" else stated.license
    return str(licence or stated.license) if stated.license else None
