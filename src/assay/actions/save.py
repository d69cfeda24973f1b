"""Saves a trained model of a study after checking that it reproduces the study's predictions."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.actions.bundle import copy_files
from assay.actions.load import identity_without_place, load, saved_source
from assay.actions.onnx_export import export_onnx, must_be_exportable
from assay.actions.saved_folder import SCRIPT, SETTINGS, WEIGHTS, SavedSettings, read_settings
from assay.actions.saved_texts import SCRIPT_TEXT, readme, requirements
from assay.core.errors import StoreError, UsageError
from assay.core.job import Job
from assay.core.metric import PLUGIN_PREFIX
from assay.core.model import ModelFacts, ModelSource
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.task import Examples, JoinedExamples, SelectedExamples, SplitName, Task
from assay.plugins.families import families
from assay.plugins.protocol import ModelProtocol, Protocol, SourceProtocol, SubsetProtocol
from assay.plugins.registry import Named
from assay.plugins.user_code import identity_of_source
from assay.readers.images import StoredImages
from assay.readers.sounds import StoredSounds
from assay.run.encoding import Encodings, batches_of
from assay.run.fitting import Learned, learned
from assay.run.opened_model import OpenedModel
from assay.run.plan import Run, job_of
from assay.store.results import Store

_ROUNDED = 0.1  # share of test predictions that 16 bits may change; benchmarks/limits.py finds up to 0.07
_CHECKED = 32  # examples of test that the saved model predicts again before anyone relies on it


class ModelToSave(NamedTuple):
    """A model of a study, trained on one task by one protocol."""

    model: Named[ModelSource]
    task: Task
    method: Named[Protocol]


def save(store: Store, what: ModelToSave, folder: Path, device: str, *, onnx: bool = False) -> Result:
    """Train again as the study did, check the test predictions, and write the model to a folder.

    Args:
        store: The store of the study.
        what: The model, task and protocol; the first of several seeds is used.
        folder: The folder is created, or must be empty.
        device: The device for training.
        onnx: Whether to write encoder and head as one ONNX file as well.

    Returns:
        The result of the study for this model.

    Raises:
        UsageError: The study has no such result, the folder is not empty, or there is nothing to save.
        StoreError: Training again gave other predictions, or the folder cannot be written.
    """
    source, method = what.model.plugin, what.method.plugin
    if isinstance(method, SourceProtocol):
        raise UsageError(f"{what.method} trains nothing, so there is nothing to save. Name another --method.")
    must_be_empty(folder)
    was_there = folder.exists()
    if onnx:
        must_be_exportable(what.task.modality)
    identity = identity_of_source(source)
    job = job_of(what.model, identity, what.task, Run(Named(what.method.address, method), 0))
    result = _result(store, job)
    kept = _kept(store, job)
    model = source.open(device)
    try:
        if model.names is not None:
            raise UsageError(
                f"{what.model} contains only the features of some examples, so it cannot predict others."
            )
        opened = OpenedModel(model, identity, source.untrained, device, source.encoding_version)
        metric = families().metrics.load(what.task.metric)()
        batches = batches_of(what.task, 32, lambda *_: None)
        encodings = Encodings(opened, what.task, metric, store.arrays, batches)
        with learned(method.with_tuned(result.tuned), encodings, job.seed) as trained:
            _must_predict_the_same(trained, kept)
            written = _Written(what, result, trained, model.facts, onnx)
            with _emptied_unless_whole(folder, was_there=was_there):
                _write(folder, written)
    finally:
        model.close()
    with _emptied_unless_whole(folder, was_there=was_there):
        _prove(folder, what, kept, device, onnx=onnx)
    return result


def code_of(folder: Path) -> list[str]:
    """Return the user's code that a model needs which was saved in this process; its plug-ins are loaded."""
    return [name for name in read_settings(folder).code if not name.endswith(".py")]


def must_be_empty(folder: Path) -> None:
    """Raise ``UsageError`` if files of a user might be overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"The folder '{folder}' is not empty. Name another one, as in --out {folder}-2.")


def _result(store: Store, job: Job) -> Result:
    result = next(iter(store.results({job.key})), None)
    if result is None:
        jobs = [other.job for other in store.results()]
        here = [other for other in jobs if (other.model, other.task) == (job.model, job.task)]
        trained = store.predictions([other.key for other in here])
        done = sorted({other.method for other in here if other.key in trained})
        if done and job.method not in done:
            raise UsageError(
                f"The study has no {job.method} of {job.model} on {job.task}; it has {', '.join(done)}. "
                f"Write --method '{done[0]}'."
            )
        raise UsageError(
            f"The study has no result of {job.method} for {job.model} on {job.task} as they are now. "
            "Name a model, a task and a method as the report does; run the study again if they have changed."
        )
    if result.status is not Status.OK:
        raise UsageError(f"{job.method} has no value for {job.model} on {job.task}: {result.reason}")
    return result


def _kept(store: Store, job: Job) -> Predicted:
    kept = store.predictions([job.key]).get(job.key)
    if kept is None:
        raise StoreError(
            f"The predictions of {job.method} for {job.model} on {job.task} are missing in the store."
        )
    return kept


def _must_predict_the_same(trained: Learned, kept: Predicted) -> None:
    """Raise ``StoreError`` if training again gave other predictions, as it may on an accelerator."""
    again = trained.predict(SplitName.TEST).values
    if np.array_equal(again, kept.values):
        return
    differing = int((again != kept.values).reshape(len(again), -1).any(axis=1).sum())
    raise StoreError(
        f"Training again gave other predictions for {differing} of {len(again)} test examples than the "
        "study has: nothing is saved. Save on the device of the study, with the packages of the study."
    )


class _Written(NamedTuple):
    """What is written of a trained model."""

    what: ModelToSave
    result: Result
    trained: Learned
    facts: ModelFacts
    has_onnx: bool


@contextmanager
def _emptied_unless_whole(folder: Path, *, was_there: bool) -> Iterator[None]:
    """Delete partial output if saving fails."""
    try:
        yield
    except BaseException as error:
        for path in [*folder.iterdir()] if folder.is_dir() else []:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if not was_there and folder.is_dir():
            folder.rmdir()
        if isinstance(error, OSError):
            message = f"Cannot write to '{folder}': {error}. Name another folder: --out other."
            raise StoreError(message) from error
        raise


def _write(folder: Path, written: _Written) -> None:
    from safetensors.numpy import save_file

    from assay.encoders.identity import file_hash

    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / WEIGHTS
    tensors = {name: np.asarray(array, order="C") for name, array in written.trained.tensors().items()}
    weights.touch()
    mode = weights.stat().st_mode
    save_file(tensors, weights)
    weights.chmod(mode)  # safetensors makes it readable by its owner alone
    source = written.what.model.plugin
    files = copy_files(written.what.model.address, source, folder)
    settings = _settings(written, files, file_hash(weights))
    identity = identity_without_place(saved_source(folder, settings), folder)
    settings = replace(settings, identity=identity)
    packages = [*source.packages, *getattr(written.what.method.plugin, "packages", ())]
    about = readme(settings, written.facts, has_onnx=written.has_onnx)
    (folder / "README.md").write_text(about, "utf-8")
    (folder / "requirements.txt").write_text(requirements(packages, settings.modality), "utf-8")
    (folder / SCRIPT).write_text(SCRIPT_TEXT, "utf-8")
    (folder / SETTINGS).write_text(settings.text(), "utf-8")


def _prove(folder: Path, what: ModelToSave, kept: Predicted, device: str, *, onnx: bool) -> None:
    """Open the saved model, and compare its predictions for the first test examples with the study's.

    Raises:
        StoreError: They differ; on an accelerator, which may compute in half precision, in more than a tenth.
    """
    test = what.task.test
    split = test.take(range(min(_CHECKED, len(test))))
    examples = [split.examples.read(row) for row in range(len(split))]
    is_exact = device == "cpu"
    kept = kept if is_exact else Predicted(kept.values)
    expected = kept.take(np.arange(len(split.labels)))
    with load(folder, device, allow_code=code_of(folder)) as saved:
        differing = np.mean(~saved.predict(examples).agrees_with(expected))
        if differing > (0 if is_exact else _ROUNDED):
            raise StoreError(
                f"The saved model gives other predictions for {100 * differing:.0f} % of {len(split)} "
                "test examples than the study has: nothing is saved. Save with the files and packages of the "
                "study."
            )
        if onnx:
            differing = np.mean(~export_onnx(saved, folder, test.examples).agrees_with(kept))
            if differing > (0 if is_exact else _ROUNDED):
                raise StoreError(
                    f"The ONNX file gives other predictions for {100 * differing:.0f} % of {len(test)} "
                    "test examples than the study has: nothing is saved. Leave out --onnx."
                )


def _settings(written: _Written, files: Mapping[str, str], weights: str) -> SavedSettings:
    what, result, decision = written.what, written.result, written.trained.decision
    method = what.method.plugin
    base = method.base() if isinstance(method, SubsetProtocol) else method
    stored = _stored(what.task.test.examples)
    starts_random = isinstance(base, ModelProtocol) and base.starts_random
    return SavedSettings(
        model=str(what.model),
        task=what.task.address,
        method=str(what.method),
        kind=what.task.kind,
        modality=what.task.modality,
        classes=what.task.classes,
        present=tuple(decision.present.tolist()),
        shape=decision.shape,
        are_logits=decision.are_logits,
        metrics=_shown(_numbers(result.metrics)),
        tuned=_numbers(result.tuned),
        assay=metadata.version("model-assay"),
        columns=what.task.inputs,
        files=files,
        code=_code(what, files),
        pixel_ranges=stored.ranges if isinstance(stored, StoredImages) else {},
        full_scale=stored.full if isinstance(stored, StoredSounds) else 1.0,
        fingerprint="" if starts_random else written.facts.fingerprint,
        weights=weights,
    )


def _stored(examples: Examples) -> Examples:
    """Return the files of a task's examples, which know the scale by which the task reads them."""
    while isinstance(examples, (SelectedExamples, JoinedExamples)):
        examples = examples.examples if isinstance(examples, SelectedExamples) else examples.first
    return examples


def _numbers(values: Mapping[str, float]) -> Mapping[str, float]:
    """Return the entries that are finite numbers; a user's protocol may note other values."""
    kinds = (int, float)
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, kinds) and math.isfinite(value)
    }


def _shown(metrics: Mapping[str, float]) -> Mapping[str, float]:
    """Return the values of metrics as reports show them: errors and losses are positive there."""
    known = families().metrics
    negated = {name for name in metrics if name in known.names() and known.load(name).shown_negated}
    return {name: -value if name in negated else value for name, value in metrics.items()}


def _code(what: ModelToSave, files: Mapping[str, str]) -> tuple[str, ...]:
    """Return the code that loading needs: of the model, and plug-in files of model and protocol."""
    source = what.model.plugin
    own = files.get("name", source.code()) if source.code() == what.model.address.name else source.code()
    modules = [type(plugin).__module__ for plugin in (source, what.method.plugin)]
    plugins = [name.removeprefix(PLUGIN_PREFIX) for name in modules if name.startswith(PLUGIN_PREFIX)]
    return (*((own,) if own else ()), *(f"{name}.py" for name in plugins))
