"""Opens a saved model for predictions, without running code that the caller has not allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from assay.actions.saved_folder import WEIGHTS, SavedSettings, inside, read_settings
from assay.core.errors import ModelError, NotApplicable, UnknownName, UsageError
from assay.core.model import Layered, Model, ModelSource
from assay.core.predictor import Predicted, Predictor
from assay.core.task import Example, Examples, InMemoryExamples, LabelKind, Labels
from assay.plugins.address import Address
from assay.plugins.families import families, using
from assay.plugins.protocol import FeatureProtocol, ModelProtocol, SubsetProtocol
from assay.plugins.user_code import identity_of_source

Predict = Callable[[Examples], Predicted]


class Saved:
    """A trained model of a study that predicts for new examples.

    Args:
        model: The opened model.
        predict: Returns predictions for examples.
        settings: The settings that were saved with the weights.
        tensors: The arrays that were saved, by name.
        notes: What differs from the model that was saved, for the reader.
    """

    def __init__(
        self,
        model: Model,
        predict: Predict,
        settings: SavedSettings,
        tensors: Mapping[str, np.ndarray],
        notes: tuple[str, ...],
    ) -> None:
        self.classes = settings.classes
        self.settings = settings
        self.notes = notes
        self.model = model
        self.tensors = tensors
        self._predict = predict

    def predict(self, examples: Sequence[Example]) -> Predicted:
        """Return class positions, 0 and 1 for each class, or numbers; with probabilities if available.

        Raises:
            ModelError: The model gives numbers that are not finite.
        """
        names = [f"example {number}" for number in range(1, len(examples) + 1)]
        predicted = self._predict(InMemoryExamples(examples, names))
        given = predicted.values if predicted.probs is None else predicted.probs
        if not np.isfinite(given).all():
            raise ModelError("The model gives numbers that are not finite for this example.")
        return predicted

    def answers(self, inputs: Sequence[str]) -> NoReturn:
        """Refuse the call of ``predict.py`` of an earlier Assay.

        Raises:
            UsageError: Always; the message names the command that reads the folder.
        """
        raise UsageError(
            "This predict.py is of an earlier version of Assay. Write: assay predict FOLDER INPUT ..."
        )


class _Trained(NamedTuple):
    """The parts of a saved model that its addresses name."""

    start: ModelSource  # what training started from
    base: FeatureProtocol | ModelProtocol


@contextmanager
def load(folder: str | Path, device: str = "auto", *, allow_code: Sequence[str] = ()) -> Iterator[Saved]:
    """Open a model that ``assay save`` wrote; it is closed when the block ends.

    Args:
        folder: The folder.
        device: "cpu", "cuda", "mps" or "auto".
        allow_code: The user's code that may run: a module for ``torch:module:callable``, the name of a model
            with ``trust_remote_code``, a program (TorchScript, SavedModel), or a plug-in file, as in
            ``["nets", "my_source.py"]``. Without it, none runs, regardless of the folder.

    Raises:
        UsageError: The folder contains no saved model, or needs code that is not allowed.
        ModelError: The model cannot be opened, or has other weights than the saved one.
    """
    from assay.environment.devices import resolve_device

    folder = Path(folder)
    settings = read_settings(folder)
    tensors = _tensors(folder, settings)
    allowed = (allow_code,) if isinstance(allow_code, str) else tuple(allow_code)
    with using(families().with_files(name for name in allowed if name.endswith(".py"))):
        source, trained = _parts(folder, settings, allowed)
    model = trained.start.open(resolve_device(device))
    try:
        _must_be_the_same(model, settings)
        with ExitStack() as stack:
            read = _read_at(model, settings)
            predict = _restored(trained, read, tensors, settings, stack)
            yield Saved(read, predict, settings, tensors, _differences(folder, source, settings))
    finally:
        model.close()


def saved_source(folder: Path, settings: SavedSettings) -> ModelSource:
    """Return the source of a saved model, which reads the files that lie in the saved folder."""
    address = Address.parse(settings.model)
    own = {name: str(inside(folder, path)) for name, path in settings.files.items()}
    others = tuple(pair for pair in address.settings if pair[0] not in own)
    name = own.pop("name", address.name)
    return (
        families()
        .models.create_from_source(Address(address.source, name, tuple(sorted((*others, *own.items())))))
        .plugin
    )


def identity_without_place(source: ModelSource, folder: Path) -> str:
    """Return the identity of a source without where the saved folder lies."""
    return identity_of_source(source).replace(str(folder), "")


def _tensors(folder: Path, settings: SavedSettings) -> Mapping[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from assay.encoders.identity import file_hash

    path = inside(folder, WEIGHTS)
    if settings.weights and file_hash(path) != settings.weights:
        raise UsageError(f"'{path}' has changed since it was saved. Save the model again with assay save.")
    try:
        return dict(load_file(path))
    except (OSError, ValueError, KeyError, SafetensorError) as error:  # KeyError: a type numpy does not have
        raise UsageError(f"'{path}' is damaged ({error}). Save the model again with assay save.") from error


def _parts(folder: Path, settings: SavedSettings, allowed: Sequence[str]) -> tuple[ModelSource, _Trained]:
    """Create the plug-ins of the addresses; this runs only code of Assay and of allowed plug-in files."""
    try:
        source = saved_source(folder, settings)
        method = families().protocols.create(Address.parse(settings.method)).plugin
        base = method.base() if isinstance(method, SubsetProtocol) else method
    except UnknownName as error:
        files = [name for name in settings.code if name.endswith(".py")]
        hint = f"allow_code={files}" if files else "allow_code=['its_file.py']"
        raise UsageError(
            f"{error} If it is a plug-in of yours, name its file: {hint}, or --allow-code for assay predict."
        ) from error
    if not isinstance(base, (FeatureProtocol, ModelProtocol)):
        raise UsageError(f"'{settings.method}' trains nothing: '{folder}' contains no saved model.")
    _must_be_allowed(source, settings, allowed)
    source.check()
    start = source.untrained() if isinstance(base, ModelProtocol) and base.starts_random else source
    if start is None:
        raise UsageError(f"'{settings.model}' has no random weights to start from.")
    return source, _Trained(start, base)


def _must_be_allowed(source: ModelSource, settings: SavedSettings, allowed: Sequence[str]) -> None:
    code = source.code()
    name = settings.files.get("name", code) if code == source.name else code
    if code and not {code, name} & {*allowed}:
        raise UsageError(
            f"'{settings.model}' runs code of its own, '{name}', when opened: nothing has run. Read it; "
            f"if you trust it, write allow_code=[{name!r}], or --allow-code for assay predict."
        )


def _must_be_the_same(model: Model, settings: SavedSettings) -> None:
    now = model.facts.fingerprint
    if settings.fingerprint and now != settings.fingerprint:
        raise ModelError(
            f"'{settings.model}' has other weights now than when it was saved: its predictions would be "
            "wrong. Use the same revision, file or seed as when it was saved, or save it again."
        )


def _differences(folder: Path, source: ModelSource, settings: SavedSettings) -> tuple[str, ...]:
    if not settings.identity:
        return (
            "The model was saved by an earlier version of Assay, without hashes of its weights: whether they "
            "are still the same is not checked, and images of more than 8 bits may be scaled in another way. "
            "Save it again with assay save.",
        )
    now = identity_without_place(source, folder)
    if now == settings.identity:
        return ()
    return (
        f"The model is opened by other versions or settings than when it was saved ('{settings.identity}'; "
        f"now '{now}'): predictions may differ a little. requirements.txt next to it has the versions.",
    )


def _read_at(model: Model, settings: SavedSettings) -> Model:
    if not isinstance(model, Layered):
        return model
    layer = settings.tuned.get("layer", -1.0)
    if layer < 0 or not layer.is_integer():
        raise UsageError(f"'{settings.model}' needs a layer, and none is named. Save it again.")
    return model.at(int(layer))


def _restored(
    trained: _Trained,
    model: Model,
    tensors: Mapping[str, np.ndarray],
    settings: SavedSettings,
    stack: ExitStack,
) -> Predict:
    """Return a predictor of the saved arrays; raise ``UsageError`` if they do not fit the model."""
    most = max((side for array in tensors.values() for side in array.shape), default=0)
    if settings.kind.label_kind is LabelKind.REGRESSION and max(settings.shape, default=1) > most:
        raise UsageError(f"{WEIGHTS} has no {settings.shape[0]:,} outputs. Save the model again.")
    with _must_fit(settings):
        decision = settings.decision
        if isinstance(trained.base, FeatureProtocol):
            predictor = trained.base.learns.restored(tensors, decision)
            _try(predictor, model.facts.width)
            return lambda examples: predictor(_encoded(model, examples))
        is_class = decision.kind is LabelKind.CLASSIFICATION
        labels = Labels(
            decision.kind, decision.present if is_class else np.zeros((2, *decision.shape)), settings.classes
        )
        tuned = stack.enter_context(trained.base.restored(model, tensors, labels))
        return tuned.predict


@contextmanager
def _must_fit(settings: SavedSettings) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError, IndexError, TypeError, RuntimeError) as error:
        raise UsageError(
            f"{WEIGHTS} does not fit '{settings.model}' and its classes ({type(error).__name__}: {error}). "
            "Save the model again with assay save."
        ) from error


def _try(predictor: Predictor, width: int) -> None:
    """Raise what a predictor raises for features of a text or image, and for those of a pair read apart."""
    try:
        predictor(np.ones((2, width), np.float32))
    except (KeyError, ValueError, IndexError):
        predictor(np.ones((2, 4 * width), np.float32))


def _encoded(model: Model, examples: Examples) -> np.ndarray:
    try:
        features = model.encode([examples.read(row) for row in range(len(examples))]).features
    except NotApplicable as error:
        raise ModelError(str(error)) from error
    if not np.isfinite(features).all():
        raise ModelError("The model gives features that are not finite for this example.")
    return features
