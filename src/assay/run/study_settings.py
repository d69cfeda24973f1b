"""The settings of a study, as a user writes them in Python or in a file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, fields
from pathlib import Path
from typing import Any, Self

from assay.analysis.per_task.decision import Rule
from assay.core.errors import UnknownName, UsageError
from assay.core.limits import Limits, bytes_of
from assay.run.search.rule import SearchRule

DEFAULT_METHODS = (
    "linear_probe",
    "knn",
    "ridge_cv",
    "lda_cv",
    "logme",
    "h_score_regularised",
    "leep",
    "nce",
    "loo_knn",
)

_CACHE_SIZE = "50GB"  # features of 10 million examples, 1,250 wide
ESTIMATES = tuple(name for name in DEFAULT_METHODS if name not in {"linear_probe", "knn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySettings:
    """What a comparison of models on tasks by methods is to be.

    Attributes:
        models: Addresses, such as "timm:resnet50" or "timm:vit_small*"; none for all packaged or cached ones.
        tasks: Addresses or paths, such as "./photos" or "table:reviews.csv(label='stars')".
        methods: Protocols, which train and predict, and scores, which estimate.
        store: The folder for all results; running the same study again continues there.
        seed: The seed of splits that the data do not define.
        seeds: The number of seeds of methods with randomness.
        engine: Where evaluations run: "local", or in processes of their own, with a time limit per job and
            several at once: "isolated(time_limit=600, workers=4)"; or on a cluster: "ray(gpus_per_job=0.5)".
        control: Whether to evaluate one model per modality with random weights as a control, by the
            protocols that use features; a model that does not beat it has no useful pretraining here.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest available device.
        batch_size: Examples per batch; a model may split batches further.
        ranked_by: The method that ranks the models; by default the most informative one.
        max_parameters: Larger models are neither ranked nor trained: 25_000_000 or "25M".
        max_latency: The same for slower models: seconds per standard example at batch size 1, or "20ms".
        licences: The same for models with other licences; names or patterns, such as "apache*".
        cache_size: Disk space for features and Moments, which can be made again: "20GB" or a number of bytes;
            by default 50 GB. What was used least recently is removed; what is being used stays.
        memory: Memory of a process: "8GB" or a number of bytes. Features of train that exceed an eighth of it
            are read from disk by protocols, and models whose weights exceed it fail before they are loaded.
        examples_per_part: Encode a split that has more examples in parts of about so many, each on a worker
            of its own if others are free, as in 50_000. Workers on several machines need a store that all
            of them see. Sums over parts may differ in the last digits.
        margin: Expected loss that a cheaper model may have beyond the recommended one, in the unit of the
            metric; by default 0.01 (one point), or 1 % of chance level if lower is better. 0 names none.
        cheap_by: The cost by which a model is cheaper: "macs", "parameters", "latency" or "memory"; by
            default multiply-accumulates, or parameters if some model lacks them.
        download: Without models: take those of a curated zoo as well, which are downloaded.
        plugins: The user's Python files, each with a score or another plug-in; their methods run as well.
        budget: Search the models instead of running all, until this is spent: "30m", "2h" or "50models"; it
            counts from each start.
        total_budget: The same, with earlier runs of the store included.
        tolerance: Search, and stop when the best of the other models is expected to be at most so much
            better than the best one found: points, as in "0.5pt", or a number in the unit of the metric. A
            point is 0.01, or 1 % of chance level if lower is better. Half a point by default; 0 never stops.
        max_models: Search, and try at most so many models, those that earlier runs tried included.
        max_download: Search, and download at most so much from this start: "10GB" or a number of bytes.
        max_disk: Search, and keep at most so much of what this start downloads: the weights of the least
            promising models are removed. Those that were in a cache before stay.
        rescan: Read and check every file again, also those that did not change since they were read.
        exclude_contaminated: Search, and leave out models whose name says that they were trained on the data
            of a task.
        random_floor: The former name of control.
    """

    models: Iterable[str] = ()
    tasks: Iterable[str]
    methods: Iterable[str] = DEFAULT_METHODS
    store: str | Path = "assay-store"
    seed: int = 0
    seeds: int = 3
    engine: str = "local"
    control: bool = True
    device: str = "auto"
    batch_size: int = 32
    ranked_by: str | None = None
    max_parameters: str | float | None = None
    max_latency: str | float | None = None
    licences: Iterable[str] = ()
    cache_size: str | float | None = None
    memory: str | float | None = None
    examples_per_part: int | None = None
    margin: float | None = None
    cheap_by: str | None = None
    download: bool = False
    plugins: Iterable[str | Path] = ()
    budget: str | None = None
    total_budget: str | None = None
    tolerance: str | float | None = None
    max_models: int | None = None
    max_download: str | float | None = None
    max_disk: str | float | None = None
    exclude_contaminated: bool = False
    rescan: bool = False
    random_floor: InitVar[bool | None] = None

    def __post_init__(self, random_floor: bool | None) -> None:
        object.__setattr__(self, "control", self.control if random_floor is None else random_floor)
        for name in ("models", "tasks", "methods", "licences"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise UsageError(f"{name} is the string '{value}'. Write a list: {name}=['{value}'].")
            if not isinstance(value, Iterable) or not all(isinstance(item, str) for item in value):
                raise UsageError(f"{name} is {value!r}. Write a list of strings, as in {name}=['...'].")
            object.__setattr__(self, name, tuple(value))
        object.__setattr__(self, "plugins", _paths_of(self.plugins))
        kinds = {
            "store": str | Path, "engine": str, "device": str, "seed": int, "seeds": int, "batch_size": int,
            "control": bool, "download": bool, "exclude_contaminated": bool, "rescan": bool,
        }  # fmt: skip
        for name, kind in kinds.items():
            _require(name, getattr(self, name), kind)
        for name, least in (("batch_size", 1), ("seeds", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}. Write {least} or more.")
        if self.download and self.models:
            raise UsageError(
                "download (--download) takes a curated zoo where no model is named. Named models are "
                "downloaded without it: leave it out, or name no models."
            )
        self.limits()
        self.cache_bytes()
        self.memory_bytes()
        _require_count("examples_per_part", self.examples_per_part)
        Rule.of(self.margin, self.cheap_by)
        self.search_rule()

    @property
    def is_search(self) -> bool:
        """Whether models are searched: not every one is run."""
        return self.search_rule() != SearchRule()

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a study from a TOML file whose keys are the fields of this class.

        Without an engine in the file, evaluations run in a process of their own, so that a crash or hang of
        one model does not end the run.
        """
        path = Path(path)
        try:
            written = tomllib.loads(path.read_text("utf-8-sig"))
        except OSError as error:
            raise UsageError(f"Cannot read the study '{path}': {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"The study '{path}' is not TOML: {error}.") from error
        known = {"random_floor", *(field.name for field in fields(cls))}
        for name in written:
            if name not in known:
                raise UnknownName("field of a study", name, known)
        if "tasks" not in written:
            raise UsageError(f"The study '{path}' has no tasks. Write tasks = ['...'].")
        return cls(**{"store": path.with_suffix(".assay"), "engine": "isolated", **written})

    def limits(self) -> Limits:
        """Return the limits that a model must meet to be ranked."""
        return Limits.of(self.max_parameters, self.max_latency, self.licences)

    def cache_bytes(self) -> float:
        """Return the disk space for what can be made again."""
        return bytes_of("cache_size", _CACHE_SIZE if self.cache_size is None else self.cache_size)

    def memory_bytes(self) -> float | None:
        """Return the memory of a process; None for that of the machine."""
        return None if self.memory is None else bytes_of("memory", self.memory)

    def search_rule(self) -> SearchRule:
        """Return what a search may spend."""
        return SearchRule.of(
            budget=self.budget,
            total_budget=self.total_budget,
            tolerance=self.tolerance,
            max_models=self.max_models,
            max_download=self.max_download,
            max_disk=self.max_disk,
            exclude_contaminated=self.exclude_contaminated,
        )


def _require(name: str, value: object, kind: Any) -> None:
    """Raise ``UsageError`` if a field has another type; True is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {int: "a whole number", bool: "true or false"}
        raise UsageError(f"{name} is {value!r}. Write {words.get(kind, 'a string')}.")


def _require_count(name: str, value: object) -> None:
    """Raise ``UsageError`` unless a field is None or a whole number from 1."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UsageError(f"{name} is {value!r}. Write a whole number from 1.")


def _paths_of(plugins: object) -> tuple[Path, ...]:
    """Return the files of plug-ins."""
    if isinstance(plugins, (str, Path)) or not isinstance(plugins, Iterable):
        raise UsageError(f"plugins is {plugins!r}. Write a list: plugins=['my_score.py'].")
    paths = tuple(plugins)
    if not all(isinstance(path, (str, Path)) for path in paths):
        raise UsageError(f"plugins is {paths!r}. Write a list of files: plugins=['my_score.py'].")
    return tuple(map(Path, paths))
