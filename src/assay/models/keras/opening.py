"""Opens a Keras model and finds its features, on TensorFlow and torch, without running code from the file."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

from assay.core.errors import CheckpointError, ModelError
from assay.core.escaping import command
from assay.environment.download_errors import download_error
from assay.environment.offline import keep_offline

_FOREIGN = re.compile(
    r"(?:Could not locate \w+|Unknown [\w ]+:) '?(\w+)"
)  # custom objects, in errors of Keras


class OutputTensors(NamedTuple):
    """The tensors of a model's features and class scores.

    Attributes:
        features: A tensor.
        scores: A tensor; None without a head.
        activation: What the layers of the head do to the scores: "softmax", "linear" or "other"; "" without.
    """

    features: Any
    scores: Any | None = None
    activation: str = ""


def open_model(settings: dict[str, Any]) -> Any:
    """Return a model of keras.applications, or of a file."""
    return _open_application(settings) if settings["module"] else _open_file(settings)


def preprocessing(settings: dict[str, Any]) -> Any:
    """Return the ``preprocess_input`` that belongs to the model, or None."""
    if settings["preprocess"] is None:
        return None
    return importlib.import_module(f"keras.applications.{settings['preprocess']}").preprocess_input


def outputs_of(model: Any, settings: dict[str, Any]) -> OutputTensors:
    """Return where the features are: at the layer that the user named, before the head, or at the end."""
    if settings["layer"] is not None:
        names = [layer.name for layer in model.layers]
        if settings["layer"] not in names:
            shown = ", ".join(names[-12:])
            raise ModelError(f"The model has no layer '{settings['layer']}'. Its last layers: {shown}.")
        return OutputTensors(model.get_layer(settings["layer"]).output)
    output = model.outputs[0]
    weighted = [row for row, layer in enumerate(model.layers) if layer.weights]
    last = model.layers[weighted[-1]] if weighted else None
    if (
        not settings["head"]
        or last is None
        or _units(last) != output.shape[-1]
        or isinstance(last.input, list)
    ):
        return OutputTensors(output)
    head = model.layers[weighted[-1] :]
    activations = [getattr(layer, "activation", None) for layer in head]
    names = [getattr(activation, "__name__", "") for activation in activations if activation is not None]
    if "softmax" in names or any(type(layer).__name__ == "Softmax" for layer in head):
        return OutputTensors(last.input, output, "softmax")
    return OutputTensors(last.input, output, "linear" if set(names) <= {"linear"} else "other")


def _open_application(settings: dict[str, Any]) -> Any:
    """Return a model of keras.applications, with its published weights, those of a file, or random ones."""
    import keras

    keep_offline()
    build = getattr(keras.applications, settings["name"])
    weights = "imagenet" if settings["pretrained"] and settings["checkpoint"] is None else None
    try:
        if settings["side"] is None:
            model = build(weights=weights)
        else:
            model = build(weights=None, input_shape=(settings["side"], settings["side"], 3))
            if weights is not None:
                model.set_weights(build(weights=weights).get_weights())
    except Exception as error:
        address = f"keras:{settings['name']}"
        if isinstance(error, OSError) and not isinstance(error, (URLError, ConnectionError, TimeoutError)):
            raise CheckpointError(
                f"A file of '{address}' in {Path(keras.config.keras_home(), 'models')} is damaged ({error}). "
                f"Delete it, and run {command('assay', 'fetch', address)}."
            ) from error
        raise download_error(address, error, "checkpoint='file.weights.h5'") or error from error
    if settings["pretrained"] and settings["checkpoint"] is not None:
        model.load_weights(settings["checkpoint"])
    return model


def _open_file(settings: dict[str, Any]) -> Any:
    """Return the model of a ``.keras`` or ``.h5`` file, or one like it with random weights."""
    import keras

    path = Path(settings["name"])
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds; each fails this model alone
        raise CheckpointError(_why_unread(path, str(error).strip(), type(error).__name__)) from error
    if not model.built:
        raise CheckpointError(
            f"'{path.name}' was saved before it was built: it has no input and no weights. Begin the model "
            "with keras.Input((height, width, 3)), or call it once on images, and save it again."
        )
    return model if settings["pretrained"] else keras.models.clone_model(model)


def _why_unread(path: Path, text: str, kind: str) -> str:
    custom = _FOREIGN.search(text)
    if custom is not None and _is_operation(custom[1]):
        return (
            f"'{path.name}' holds the operation '{custom[1]}' between its layers, which Keras does not "
            "read from this format. Where you have the model, save it with model.save('model.keras')."
        )
    if custom is not None or "Lambda" in text:
        what = "a Lambda layer" if custom is None else f"'{custom[1]}'"
        return (
            f"'{path.name}' holds {what}: reading it would run code that is not Keras's own. Where you have "
            "that code, write model.export('folder') and name the folder: 'tensorflow:./folder'."
        )
    if "No model config found" in text:
        return (
            f"'{path.name}' holds weights without their model. Give them to an application, as in "
            f"keras:ResNet50(checkpoint='{path.name}'), or save the whole with model.save('model.keras')."
        )
    first = text.partition("\n")[0]
    return f"'{path.name}' is damaged, or no file of Keras ({kind}: {first}). Save or download it again."


def _units(layer: Any) -> int | None:
    if type(layer).__name__ == "Dense":
        return int(layer.units)
    is_point = type(layer).__name__ == "Conv2D" and tuple(layer.kernel_size) == (1, 1)
    return int(layer.filters) if is_point else None


def _is_operation(name: str) -> bool:
    """Return whether Keras 3, or 2 with its TFOpLambda, wrote a function of tensors under this name."""
    from keras.src.ops import numpy

    return name.endswith("OpLambda") or hasattr(numpy, name)
