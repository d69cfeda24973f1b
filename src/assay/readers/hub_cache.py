"""Data sets of the hub in the cache of the package ``datasets``, at a given commit.

Without a network the package itself opens what it cached last, of whichever commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import UsageError

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset


def cached_splits(
    name: str, config: str | None, commit: str | None, stream: int | None
) -> Mapping[str, Dataset | IterableDataset] | None:
    """Return the splits of a data set that were cached at a commit; None if they were not.

    Args:
        name: As in "org/name".
        config: The configuration, or None for the only one or the default.
        commit: The commit; None if it is unknown, which is enough where one commit is cached.
        stream: The maximum number of rows to stream from each split; None to load everything.

    Raises:
        UsageError: Several configurations are cached, and none is named.
    """
    import datasets
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache

    owner, _, own = name.rpartition("/")
    root = Path(datasets.config.HF_DATASETS_CACHE) / "___".join(
        filter(None, (owner, camelcase_to_snakecase(own)))
    )
    folders = [info.parent for info in sorted(root.glob(f"*/*/{commit or '*'}/dataset_info.json"))]
    if len({folder.name for folder in folders}) != 1:
        return None
    configs = {folder.parts[-3]: folder for folder in folders}
    chosen = config or ("default" if "default" in configs else next(iter(configs)))
    if config is None and chosen != "default" and len(configs) > 1:
        raise UsageError(
            f"Several configurations of '{name}' are cached: {', '.join(configs)}. Write one, as in "
            f"config='{chosen}'."
        )
    if chosen not in configs:
        return None
    folder = configs[chosen]
    builder = Cache(
        dataset_name=own, config_name=chosen, version=folder.parts[-2], hash=folder.name, repo_id=name
    )
    splits: Mapping[str, Dataset | IterableDataset] = (
        builder.as_dataset() if stream is None else builder.as_streaming_dataset()
    )
    return splits


def other_commit(splits: Mapping[str, Dataset | IterableDataset], commit: str) -> str | None:
    """Return the commit that opened splits are of, if it is another one."""
    for split in splits.values():
        for file in getattr(split, "cache_files", ()):
            found = Path(file["filename"]).parent.name
            if found != commit:
                return found
    return None
