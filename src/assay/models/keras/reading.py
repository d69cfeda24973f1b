"""Where the features of a Keras model are, and what pixels go through before: on TensorFlow and on torch."""

from __future__ import annotations

import importlib
from typing import Any

from assay.core.errors import ModelError


def preprocessing(wanted: dict[str, Any]) -> Any:
    """Return the ``preprocess_input`` that belongs to the model, or None."""
    if wanted["preprocess"] is None:
        return None
    return importlib.import_module(f"keras.applications.{wanted['preprocess']}").preprocess_input


def cut(model: Any, wanted: dict[str, Any]) -> tuple[Any, Any | None, str]:
    """Return the tensor of the features, that of the class scores, and what the last layer does."""
    names = [layer.name for layer in model.layers]
    if wanted["layer"] is not None:
        if wanted["layer"] not in names:
            shown = ", ".join(names[-12:])
            raise ModelError(f"The model has no layer '{wanted['layer']}'. Its last layers: {shown}.")
        return model.get_layer(wanted["layer"]).output, None, ""
    output = model.outputs[0]
    weighted = [row for row, layer in enumerate(model.layers) if layer.weights]
    last = model.layers[weighted[-1]] if weighted else None
    if not wanted["head"] or last is None or _units(last) != output.shape[-1] or isinstance(last.input, list):
        return output, None, ""
    acts = [getattr(layer, "activation", None) for layer in model.layers[weighted[-1] :]]
    ends = ["softmax" if type(layer).__name__ == "Softmax" else "" for layer in model.layers[weighted[-1] :]]
    named = [getattr(act, "__name__", "") for act in acts if act is not None] + [end for end in ends if end]
    return (
        last.input,
        output,
        "softmax" if "softmax" in named else "linear" if set(named) <= {"linear"} else "other",
    )


def _units(layer: Any) -> int | None:
    if type(layer).__name__ == "Dense":
        return int(layer.units)
    is_point = type(layer).__name__ == "Conv2D" and tuple(layer.kernel_size) == (1, 1)
    return int(layer.filters) if is_point else None
