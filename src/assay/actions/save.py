"""Saves a trained model of a study after checking that it reproduces the predictions of the study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import StoreError, UnknownName, UsageError
from assay.core.job import Job
from assay.core.model import Layered, Model, ModelSource
from assay.core.predictor import Decision, Predicted
from assay.core.result import Result, Status
from assay.core.task import (
    Example,
    Examples,
    InMemoryExamples,
    LabelKind,
    Labels,
    Modality,
    SplitName,
    Task,
    TaskKind,
)
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.protocol import FeatureProtocol, ModelProtocol, Protocol, SourceProtocol, SubsetProtocol
from assay.plugins.registry import Named
from assay.plugins.user_code import identity_of_source
from assay.run.encoding import Encodings, batches_of
from assay.run.fitting import Learned, learned
from assay.run.opened_model import OpenedModel
from assay.run.plan import Run, job_of
from assay.store.results import Store

WEIGHTS, SETTINGS, SCRIPT = "weights.safetensors", "assay.json", "predict.py"

_SCRIPT = '''"""Predicts with {model}, {method} on {task}: python predict.py {usage}"""

import sys
from pathlib import Path

import assay

with assay.load(Path(__file__).parent) as saved:
    for given, answer in zip(sys.argv[1:], saved.answers(sys.argv[1:])):
        print(given, answer, sep="\\t")
'''


class ModelToSave(NamedTuple):
    """A model of a study, trained on one task by one protocol."""

    model: Named[ModelSource]
    task: Task
    method: Named[Protocol]


def save(store: Store, what: ModelToSave, folder: Path, device: str) -> Result:
    """Train again as the study did, check the test predictions, and write the model to a folder.

    Args:
        store: The store of the study.
        what: The model, task and protocol; the first of several seeds is used.
        folder: The folder is created, or must be empty.
        device: The device for training.

    Returns:
        The result of the study for this model.

    Raises:
        UsageError: The study has no such result, or the folder is not empty.
        StoreError: Training again gave other predictions, or the folder cannot be written.
    """
    source, method = what.model.plugin, what.method.plugin
    if isinstance(method, SourceProtocol):
        raise UsageError(f"{what.method} trains nothing: there is nothing to save but {what.model} itself.")
    must_be_empty(folder)
    job = job_of(
        what.model, identity_of_source(source), what.task, Run(Named(what.method.address, method), 0)
    )
    result = _result(store, job)
    model = source.open(device)
    try:
        opened = OpenedModel(
            model, identity_of_source(source), source.untrained, device, source.encoding_version
        )
        metric = families().metrics.load(what.task.metric)()
        batches = batches_of(what.task, 32, lambda *_: None)
        encodings = Encodings(opened, what.task, metric, store.arrays, batches)
        with learned(method.with_tuned(result.tuned), encodings, job.seed) as trained:
            _must_predict_the_same(trained, store, job)
            _write(folder, trained, what, result)
    finally:
        model.close()
    return result


def must_be_empty(folder: Path) -> None:
    """Raise ``UsageError`` if files of a user might be overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"The folder '{folder}' is not empty. Name another one, as in --to {folder}-2.")


class Saved:
    """A trained model of a study that predicts for new examples.

    Args:
        model: The opened model.
        predict: Returns predictions for examples.
        settings: The settings that were saved beside the weights.
    """

    def __init__(self, model: Model, predict: Any, settings: Mapping[str, Any]) -> None:
        self.classes: tuple[str, ...] = tuple(settings["classes"])
        self.settings = settings
        self._model = model
        self._predict = predict

    def predict(self, examples: Sequence[Example]) -> Predicted:
        """Return class positions, 0 and 1 for each class, or numbers; with probabilities if available."""
        names = [f"example {number}" for number in range(1, len(examples) + 1)]
        predicted: Predicted = self._predict(InMemoryExamples(examples, names))
        return predicted

    def answers(self, inputs: Sequence[str]) -> list[str]:
        """Return predictions as text, for texts or for paths of image or audio files."""
        from assay.readers.files import FolderFiles
        from assay.readers.images import StoredImages
        from assay.readers.sounds import StoredSounds

        kinds = {Modality.IMAGE: StoredImages, Modality.AUDIO: StoredSounds}
        kind = kinds.get(self.settings["modality"])
        examples: list[Example] = list(inputs)
        if kind is not None:
            files = kind(FolderFiles(Path(), tuple(inputs)))
            examples = [files.read(row) for row in range(len(files))]
        values = self.predict(examples).values
        if self.settings["kind"] == TaskKind.REGRESSION:
            return [" ".join(f"{number:.6g}" for number in np.atleast_1d(row)) for row in values]
        if values.ndim > 1:
            return [" ".join(np.array(self.classes)[row.astype(bool)]) for row in values]
        return [self.classes[position] for position in values]


@contextmanager
def load(folder: str | Path, device: str = "auto") -> Iterator[Saved]:
    """Open a model that ``assay save`` wrote; it is closed when the block ends.

    Raises:
        UsageError: The folder holds no saved model.
    """
    from safetensors.numpy import load_file

    from assay.environment.devices import resolve_device

    try:
        settings = json.loads(Path(folder, SETTINGS).read_text("utf-8"))
        tensors = load_file(Path(folder, WEIGHTS))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"'{folder}' holds no saved model ({error}). Name a folder of assay save."
        ) from error
    source = families().models.create_from_source(Address.parse(settings["model"])).plugin
    method = families().protocols.create(Address.parse(settings["method"])).plugin
    base = method.base() if isinstance(method, SubsetProtocol) else method
    start = source.untrained() if isinstance(base, ModelProtocol) and base.starts_random else source
    if start is None:
        raise UsageError(f"'{settings['model']}' has no random weights to start from.")
    model = start.open(resolve_device(device))
    try:
        with ExitStack() as stack:
            read = model.at(int(settings["tuned"]["layer"])) if isinstance(model, Layered) else model
            yield Saved(read, _restored(base, read, tensors, settings, stack), settings)
    finally:
        model.close()


def _restored(
    method: Protocol,
    model: Model,
    tensors: Mapping[str, np.ndarray],
    settings: Mapping[str, Any],
    stack: ExitStack,
) -> Any:
    classes = tuple(settings["classes"])
    present, shape = np.array(settings["present"], dtype=np.int64), tuple(settings["shape"])
    kind = TaskKind(settings["kind"]).label_kind
    if isinstance(method, FeatureProtocol):
        decision = Decision(kind, len(classes), present, shape, settings["are_logits"])
        predictor = method.learns.restored(tensors, decision)
        return lambda examples: predictor(_encoded(model, examples))
    assert isinstance(method, ModelProtocol)
    values = present if kind is LabelKind.CLASSIFICATION else np.zeros((2, *shape))
    tuned = stack.enter_context(method.restored(model, tensors, Labels(kind, values, classes)))
    return tuned.predict


def _encoded(model: Model, examples: Examples) -> np.ndarray:
    return model.encode([examples.read(row) for row in range(len(examples))]).features


def _result(store: Store, job: Job) -> Result:
    result = next(iter(store.results({job.key})), None)
    if result is None:
        jobs = [other.job for other in store.results()]
        done = {other.method for other in jobs if (other.model, other.task) == (job.model, job.task)}
        if job.method not in done and done:
            raise UnknownName(f"method of {job.model} on {job.task}", job.method, done)
        raise UsageError(
            f"The study has no result of {job.method} for {job.model} on {job.task} as they are now. "
            "Name a model, a task and a method as the report does; run the study again if they have changed."
        )
    if result.status is not Status.OK:
        raise UsageError(f"{job.method} has no value for {job.model} on {job.task}: {result.reason}")
    return result


def _must_predict_the_same(trained: Learned, store: Store, job: Job) -> None:
    """Raise ``StoreError`` if training again gave other predictions, as it may on an accelerator."""
    kept = store.predictions([job.key]).get(job.key)
    if kept is None:
        raise StoreError(f"The store has lost the predictions of {job.method} for {job.model} on {job.task}.")
    again = trained.predict(SplitName.TEST).values
    if np.array_equal(again, kept.values):
        return
    differing = int((again != kept.values).reshape(len(again), -1).any(axis=1).sum())
    raise StoreError(
        f"Training again gave other predictions for {differing} of {len(again)} test examples than the "
        "study has: nothing is saved. Save on the device of the study, with the packages of the study."
    )


def _write(folder: Path, trained: Learned, what: ModelToSave, result: Result) -> None:
    from safetensors.numpy import save_file

    task, decision = what.task, trained.decision
    settings = {
        "model": str(what.model), "task": task.address, "method": str(what.method), "kind": task.kind,
        "modality": task.modality, "classes": task.classes, "present": decision.present.tolist(),
        "shape": decision.shape, "are_logits": decision.are_logits, "metrics": dict(result.metrics),
        "tuned": dict(result.tuned), "assay": metadata.version("model-assay"),
    }  # fmt: skip
    usage = {Modality.IMAGE: "picture.jpg ...", Modality.AUDIO: "sound.wav ..."}.get(
        task.modality, "'a text' ..."
    )
    script = _SCRIPT.format(model=what.model, method=what.method, task=task.address, usage=usage)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: np.asarray(array, order="C") for name, array in trained.tensors().items()}
        save_file(tensors, folder / WEIGHTS)
        (folder / SETTINGS).write_text(json.dumps(settings, indent=1, ensure_ascii=False), "utf-8")
        (folder / SCRIPT).write_text(script, "utf-8")
    except OSError as error:
        raise StoreError(f"Cannot write to '{folder}': {error}. Name another folder: --to other.") from error
