"""Where weights of the Hugging Face hub came from, and their licence, as their model card says."""

from __future__ import annotations

from pathlib import Path

from assay.encoders.hub import commit_of, settle_hub
from assay.encoders.identity import Origin


def origin_of_hub(source: str, repository: str, revision: str | None, file: str) -> Origin:
    """Return where the weights of a repository came from.

    Args:
        source: As it is written before the colon.
        repository: As in "org/name".
        revision: What the user wrote; None for the newest.
        file: One of the repository that is there anyway.
    """
    commit = commit_of(repository, file, revision)
    return Origin(f"{source}: {repository} at {commit[:12]}", _licence(_card(repository, commit)))


def origin_of_folder(source: str, folder: str) -> Origin:
    """Return where the weights of a folder came from; its README.md may be a model card."""
    card = Path(folder).expanduser() / "README.md"
    return Origin(f"{source}: {folder}", _licence(card if card.is_file() else None))


def _card(repository: str, commit: str) -> Path | None:
    from huggingface_hub import hf_hub_download

    local = not settle_hub()
    try:
        return Path(hf_hub_download(repository, "README.md", revision=commit, local_files_only=local))
    except Exception:  # a model without its card is as good; its licence is not known
        return None


def _licence(card: Path | None) -> str | None:
    from huggingface_hub import ModelCard

    if card is None:
        return None
    try:
        told = ModelCard.load(card, ignore_metadata_errors=True).data
    except Exception:  # what cannot be read says nothing
        return None
    licence = getattr(told, "license_name", None) if told.license == "other" else told.license
    return str(licence or told.license) if told.license else None
