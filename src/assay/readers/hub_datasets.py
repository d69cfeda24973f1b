"""Opens data sets of the Hugging Face hub, and folders in formats of the package ``datasets``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from assay.core.errors import UnreadableTask, UsageError

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

_BATCH = 1000
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


def open_hub(request: DatasetRequest) -> Mapping[str, Dataset]:
    """Return the splits of a data set, without decoding images and audio.

    The offline mode of the hub must be set before.

    Raises:
        UnreadableTask: The data set exists neither on the hub nor in the cache.
        UsageError: The configuration does not exist, or is required and not given.
    """
    import datasets
    import huggingface_hub

    datasets.config.HF_HUB_OFFLINE = huggingface_hub.constants.HF_HUB_OFFLINE
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        splits = _load(request)
    except (pa.ArrowException, datasets.exceptions.DatasetGenerationError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, ImportError):
            raise UnreadableTask(
                f"The package datasets cannot read '{request.name}': {_first_line(cause)} A folder of sounds "
                "is read without that: write audio: before its path."
            ) from error
        raise UnreadableTask(
            f"Files of the data set '{request.name}' are broken or do not fit together: {_first_line(cause)} "
            "Download it again."
        ) from error
    except (OSError, datasets.exceptions.DatasetsError) as error:
        raise UnreadableTask(_unreachable(request, error, datasets.config.HF_HUB_OFFLINE)) from error
    except ValueError as error:
        raise UsageError(f"Cannot open '{request.name}': {_first_line(error)} Write config='...'.") from error
    return {name: _stored(split, request) for name, split in splits.items()}


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


def _load(request: DatasetRequest) -> Mapping[str, Dataset | IterableDataset]:
    import datasets

    folder = Path(request.name).expanduser()
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        saved = datasets.load_from_disk(str(folder))
        return saved if isinstance(saved, datasets.DatasetDict) else {"train": saved}
    name = str(folder) if folder.is_dir() else request.name
    splits: Mapping[str, Dataset | IterableDataset] = datasets.load_dataset(
        name, request.config, revision=request.revision, streaming=request.stream is not None
    )
    return splits


def _stored(split: Dataset | IterableDataset, request: DatasetRequest) -> Dataset:
    """Return a split without decoding its files; a stream is sampled into a data set in memory."""
    import datasets

    for name, feature in (split.features or {}).items():
        if isinstance(feature, (datasets.Image, datasets.Audio)):
            split = split.cast_column(name, type(feature)(decode=False))
    if request.stream is None or isinstance(split, datasets.Dataset):
        return split
    some = split.shuffle(seed=request.seed, buffer_size=_WINDOW).take(request.stream)
    tables = list(some.with_format("arrow").iter(_BATCH))
    if not tables:
        raise UnreadableTask(f"'{request.name}' has a split without rows. Name other splits.")
    return datasets.Dataset(pa.concat_tables(tables).cast(some.features.arrow_schema))


def _unreachable(request: DatasetRequest, error: Exception, is_offline: bool) -> str:
    why = "There is no network, or the hub cannot be reached" if is_offline else _first_line(error)
    named = "".join(f", {part}" for part in (request.config, request.revision) if part)
    address = f'"{request.address}"' if "(" in request.address else request.address or f"hub:{request.name}"
    return (
        f"The data set '{request.name}'{named} is neither a folder nor in the local cache, and cannot be "
        f"had: {why.rstrip('.')}. Check the name. Run 'assay fetch {address}' where there is a network, and "
        "then the same with --offline; log in if it is gated, or name a folder that holds it."
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{lines[0].rstrip('.')}."
