"""The message handler of a Keras worker."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from assay.core.errors import ModelError
from assay.encoders.tensorflow.first_weights import expected_range
from assay.encoders.tensorflow.model_server import InputSpec, ModelServer, count_macs, image_shape
from assay.models.keras.opening import open_model, outputs_of, preprocessing

_DEFAULT_SIDE = 224  # of the applications that leave height and width open


class KerasServer(ModelServer):
    """Opens a model of keras.applications or a file, and encodes with it."""

    advice: ClassVar[str] = "Name another layer."

    def open(self, settings: dict[str, Any]) -> InputSpec:
        """Open a model and cut it before its head."""
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(settings["seed"])
        model = open_model(settings)
        if not isinstance(model, keras.Model) or len(model.inputs or ()) != 1:
            raise ModelError(
                f"'{settings['name']}' is not a model with one input. Save the one that reads images."
            )
        side = settings["side"] or (_DEFAULT_SIDE if settings["module"] else None)
        shape = image_shape(tuple(model.inputs[0].shape), side, "image_size")
        features, scores, self.scores = outputs_of(model, settings)
        reader = keras.Model(model.inputs, [features, *([] if scores is None else [scores])])
        spec = tf.TensorSpec((None, *shape), tf.float32)
        self._read = tf.function(lambda batch: reader(batch, training=False), input_signature=[spec])
        self._preprocess = preprocessing(settings)
        self.variables = [(weight.path, weight) for weight in model.weights]
        self.kernels = [kernel for layer in model._flatten_layers() for kernel in _kernels(layer)]
        single = tf.TensorSpec((1, *shape), tf.float32)
        function = tf.function(lambda batch: reader(batch, training=False)).get_concrete_function(single)
        return InputSpec(
            shape,
            count_macs(function.graph),
            f"{settings['preprocess']}.preprocess_input" if self._preprocess else "",
            None if self._preprocess else expected_range(function, shape),
        )

    def outputs(self, batch: Any) -> Any:
        """Return the features of some images, and the scores of classes where there is a head."""
        values = batch.astype(np.float32)
        return self._read(values if self._preprocess is None else self._preprocess(values))


def _kernels(layer: Any) -> list[tuple[Any, int]]:
    """Return the kernels of a layer, each with its output axis."""
    kind = type(layer).__name__
    if kind in ("Embedding", "BatchNormalization", "LayerNormalization"):
        return []
    return [
        (weight, -2 if "Transpose" in kind or weight.path.endswith("depthwise_kernel") else -1)
        for weight in layer._trainable_variables
        if "kernel" in weight.path.rpartition("/")[2]
    ]
