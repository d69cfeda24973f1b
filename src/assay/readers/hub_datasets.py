"""Opens data sets of the Hugging Face hub, and folders in formats of the package ``datasets``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.core.text import first_line
from assay.environment.hub_client import HubRepository, settle_hub
from assay.environment.hub_errors import HubRequest, refusal, why_no_hub
from assay.environment.offline import how_to_fetch, is_offline
from assay.readers.formats.embedded import embedded_modality, is_struct_of_file
from assay.readers.formats.parquet_rows import is_bytes
from assay.readers.hub_cache import cached_splits, other_commit

if TYPE_CHECKING:
    from datasets import Audio, Dataset, Image, IterableDataset

_BATCH = 1000
_LOOKED_AT = 100  # rows that decide what a column of bytes holds
_WINDOW = 10_000  # shuffle buffer of a stream, in rows


class DatasetRequest(NamedTuple):
    """The data set to open.

    Attributes:
        name: ``user/name`` on the hub, or a folder.
        config: The configuration, or None.
        revision: A commit, tag or branch, or None.
        stream: The maximum number of rows to stream from each split; None to load everything.
        seed: The seed of the shuffle of a stream.
        address: The user's address of the task.
    """

    name: str
    config: str | None = None
    revision: str | None = None
    stream: int | None = None
    seed: int = 0
    address: str = ""

    @property
    def repository(self) -> HubRepository:
        """Where it is on the hub."""
        return HubRepository(self.name, self.revision, "dataset")

    @property
    def wanted(self) -> HubRequest:
        """What is asked of the hub."""
        return HubRequest(self.address or f"hub:{self.name}", *self.repository)


class HubSplits(NamedTuple):
    """The splits of a data set.

    Attributes:
        splits: The splits by name, without decoding images and audio.
        notes: What the user should know about where they come from.
    """

    splits: Mapping[str, Dataset]
    notes: tuple[str, ...] = ()


def open_hub(request: DatasetRequest) -> HubSplits:
    """Return the splits of a data set of the hub, or of a folder.

    Where the hub does not give it, what was downloaded of the same commit is used.

    Raises:
        UnreadableTask: The data set exists neither on the hub nor in the cache.
        UsageError: The configuration does not exist, or is required and not given.
    """
    import datasets
    from huggingface_hub import constants

    is_folder = path_of(request.name).is_dir()
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # which it tells another host than the hub
    datasets.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE if is_folder else not settle_hub()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    opened = HubSplits(_loaded(request)) if is_folder else _given(request)
    return opened._replace(splits={name: _stored(split, request) for name, split in opened.splits.items()})


def arrow_batches(split: Dataset) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a split as Arrow batches, without conversion."""
    for table in split.with_format("arrow").iter(_BATCH):
        yield from table.combine_chunks().to_batches()


def coded_batches(split: Dataset, columns: Sequence[str], classes: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns as strings, with their numbers ("0", "1", ...) as names.

    Args:
        split: A split.
        columns: The text columns, followed by the label column.
        classes: The names of labels 0, 1, ...; negative labels are missing. Empty for numeric labels.
    """
    names = [str(number) for number in range(len(columns))]
    for batch in arrow_batches(split):
        cells = [batch[name] for name in columns]
        if classes:
            codes = cells[-1].to_pylist()
            labels = [classes[code] if code is not None and code >= 0 else None for code in codes]
            cells[-1] = pa.array(labels, pa.string())
        yield pa.record_batch([column.cast(pa.string()) for column in cells], names=names)


def _given(request: DatasetRequest) -> HubSplits:
    """Return a data set from the hub, or else from the cache."""
    import datasets

    reason = _uncached(request)
    if not datasets.config.HF_HUB_OFFLINE:
        try:
            commit = request.repository.commit()
            _refuse_gated(request.repository)
            splits = _loaded(request)
        except Exception as error:
            said = refusal(request.wanted, error)
            if said is None:
                raise
            reason = said
        else:
            other = other_commit(splits, commit)
            if other is None:
                return HubSplits(splits)
            reason = (
                f"The package datasets opened commit {other[:12]} of '{request.name}', which it had in its "
                f"cache, instead of {commit[:12]}. Run the same again."
            )
    cached = cached_splits(request.name, request.config, request.repository.cached_commit(), request.stream)
    if cached is None:
        raise UnreadableTask(reason)
    if is_offline():
        return HubSplits(cached)
    return HubSplits(cached, (f"It is read as it was downloaded earlier. {reason}",))


def _refuse_gated(repository: HubRepository) -> None:
    """Raise if its authors did not grant access: the package datasets would open any commit in its cache."""
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url

    try:
        get_hf_file_metadata(
            hf_hub_url(repository.name, "README.md", repo_type="dataset", revision=repository.commit())
        )
    except errors.GatedRepoError:
        raise
    except Exception:  # for any other reason, the package datasets tries again
        return


def _loaded(request: DatasetRequest) -> Mapping[str, Dataset | IterableDataset]:
    """Return the splits as the package datasets opens them; its errors say what to do."""
    try:
        return _load(request)
    except Exception as error:
        said = None if refusal(request.wanted, error) else _explained(request, error)
        if said is None:
            raise
        raise said from error


def _explained(request: DatasetRequest, error: Exception) -> UsageError | None:
    """Explain an exception of the package datasets; None if its kind is unknown."""
    import datasets

    name = request.name
    if isinstance(error, (pa.ArrowException, datasets.exceptions.DatasetGenerationError)):
        cause = error.__cause__ or error
        if isinstance(cause, ImportError):
            return UnreadableTask(
                f"The package datasets cannot read '{name}': {_first_line(cause)} A folder of sounds is read "
                "without that: write audio: before its path."
            )
        return UnreadableTask(
            f"Files of the data set '{name}' are broken or do not fit together: {_first_line(cause)} "
            "Download it again."
        )
    if isinstance(error, (OSError, datasets.exceptions.DatasetsError)):
        return UnreadableTask(
            f"The data set '{name}' is not available: {_first_line(error)} Check the name, and that it has "
            "files that the package datasets reads (csv, json, parquet, images, ...)."
        )
    if isinstance(error, ValueError):
        other = f"Cannot open '{name}': {_first_line(error)} Write config='...'."
        return _configuration_fault(request) or UsageError(other)
    if "scripts are no longer supported" in str(error):
        return UnreadableTask(
            f"'{name}' is read by a Python script ({str(error).rpartition(' ')[2]}), and code of a data set "
            "is not run. The hub keeps most of them as files too: write revision='refs/convert/parquet'. Or "
            "download its files, and write their folder or table."
        )
    return None


def _load(request: DatasetRequest) -> Mapping[str, Dataset | IterableDataset]:
    import datasets

    folder = path_of(request.name)
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        saved = datasets.load_from_disk(str(folder))
        return saved if isinstance(saved, datasets.DatasetDict) else {"train": saved}
    name = str(folder) if folder.is_dir() else request.name
    splits: Mapping[str, Dataset | IterableDataset] = datasets.load_dataset(
        name, request.config, revision=request.revision, streaming=request.stream is not None
    )
    return splits


def _configuration_fault(request: DatasetRequest) -> UsageError | None:
    """Return the fault of the configuration; None if there is none."""
    import datasets

    try:
        names = datasets.get_dataset_config_names(request.name, revision=request.revision)
    except Exception:  # it is not to blame
        return None
    if request.config is None and len(names) > 1:
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        return UsageError(
            f"'{request.name}' has several configurations: {shown}. Write one, as in config='{names[0]}'."
        )
    if request.config is not None and request.config not in names:
        return UnknownName(f"configuration of '{request.name}'", request.config, names)
    return None


def _stored(split: Dataset | IterableDataset, request: DatasetRequest) -> Dataset:
    """Return a split without decoding its files; a stream is sampled into a data set in memory."""
    import datasets

    for name, feature in (split.features or {}).items():
        if isinstance(feature, (datasets.Image, datasets.Audio)):
            split = split.cast_column(name, type(feature)(decode=False))
        elif isinstance(split, datasets.Dataset) and (kind := _embedded(split, name)) is not None:
            split = split.cast_column(name, kind(decode=False))
    if request.stream is None or isinstance(split, datasets.Dataset):
        return split
    some = split.shuffle(seed=request.seed, buffer_size=_WINDOW).take(request.stream)
    tables = list(some.with_format("arrow").iter(_BATCH))
    if not tables:
        raise UnreadableTask(f"'{request.name}' has a split without rows. Name other splits.")
    return datasets.Dataset(pa.concat_tables(tables).cast(some.features.arrow_schema))


def _embedded(split: Dataset, name: str) -> type[Image | Audio] | None:
    """Return the feature of files in an undeclared column of bytes; None for other columns."""
    import datasets

    kind = split.features.arrow_schema.field(name).type
    if not (is_bytes(kind) or is_struct_of_file(kind)) or not len(split):
        return None
    column = split.with_format("arrow")[:_LOOKED_AT][name].combine_chunks()
    found = embedded_modality(column)
    return None if found is None else {Modality.IMAGE: datasets.Image, Modality.AUDIO: datasets.Audio}[found]


def _uncached(request: DatasetRequest) -> str:
    """Return why a data set is not available offline."""
    named = "".join(f", {part}" for part in (request.config, request.revision) if part)
    return (
        f"The data set '{request.name}'{named} is neither a folder nor in the local cache, and cannot be "
        f"downloaded: {why_no_hub()}. {how_to_fetch(request.wanted.address)}; or name a folder that holds it."
    )


def _first_line(error: BaseException) -> str:
    return f"{first_line(error)}."
