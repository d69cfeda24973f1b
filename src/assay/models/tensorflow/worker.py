"""The message handler of a SavedModel worker, which finds the head in the graph."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from assay.core.errors import CheckpointError, ModelError
from assay.encoders.tensorflow.first_weights import expected_range, frozen_function
from assay.encoders.tensorflow.model_server import InputSpec, ModelServer, count_macs, image_shape

_SIGNATURES = ("serving_default", "default", "image_feature_vector")  # of Keras, and of TF Hub's first format
_FEATURES = ("feature_vector", "features", "embedding", "embeddings", "default", "pooled_output")
_STOPS = ("FusedBatchNorm", "FusedBatchNormV3", "LSTMBlockCell", "GatherV2", "Sigmoid", "Elu", "Selu")


class SavedModelServer(ModelServer):
    """Opens a SavedModel and encodes with it."""

    advice: ClassVar[str] = "Export one whose output has."

    def open(self, settings: dict[str, Any]) -> InputSpec:
        """Open a folder, choose the function that is read and cut it before its head."""
        import tensorflow as tf

        try:
            model = tf.saved_model.load(settings["folder"])
        except Exception as error:  # TensorFlow raises many kinds; each fails this model alone
            text = str(error).strip().partition("\n")[0]
            raise CheckpointError(
                f"'{settings['folder']}' cannot be opened ({type(error).__name__}: {text}). Export it again "
                "with model.export(folder) or tf.saved_model.save."
            ) from error
        call = _callable(model, settings["signature"])
        kind = tf.string if settings["reads"] == "text" else tf.float32
        shape = () if kind is tf.string else _shape(call, settings["size"])
        takes = next((spec.dtype for spec in _inputs(call) if shape), kind)

        def output(batch: Any) -> Any:
            given = batch if takes == kind else tf.cast(batch, takes)
            return _feature_output(_called(call, given), settings["output"])

        function = tf.function(output, autograph=False)  # else it wraps what we raise
        macs = found = None
        if shape:  # before the open batch axis is traced: TensorFlow would take that for one example too
            single = function.get_concrete_function(tf.TensorSpec((1, *shape)))
            macs = count_macs(frozen_function(single).graph)
            found = expected_range(single, shape)
        self._read = function.get_concrete_function(tf.TensorSpec((None, *shape), kind))
        named = ((weight.name, weight.numpy()) for weight in self._read.variables)
        self.variables = sorted(named, key=lambda pair: pair[0])
        self.kernels = [(values, -1) for name, values in self.variables if "embedding" not in name]
        if shape and settings["head"] and settings["output"] is None:
            self._cut_before_head()
        return InputSpec(shape, macs, "" if shape else "as the model does itself", found)

    def outputs(self, batch: Any) -> Any:
        """Return the features of some examples, and the scores of classes where there is a head."""
        import tensorflow as tf

        return self._read(tf.constant(batch, tf.string if isinstance(batch, list) else tf.float32))

    def _cut_before_head(self) -> None:
        frozen = frozen_function(self._read)
        head = _find_head(frozen.outputs[0])
        if head is not None:
            self.scores = "softmax" if head.is_softmax else "linear"
            features = frozen.graph.get_tensor_by_name(head.features)
            self._read = frozen.prune(frozen.inputs[0], [features, frozen.outputs[0]])


def _callable(model: Any, signature: str | None) -> Any:
    """Return the signature that the user named, or the usual one; else the model itself, as TF Hub has it."""
    signatures = dict(model.signatures)
    if signature is not None:
        if signature not in signatures:
            raise ModelError(f"There is no signature '{signature}'. There are: {', '.join(signatures)}.")
        return signatures[signature]
    if callable(model):
        return model
    usual = [signatures[name] for name in _SIGNATURES if name in signatures] or list(signatures.values())
    if not usual:
        raise ModelError("The SavedModel has no signature and cannot be called. Export one that serves.")
    return usual[0]


def _called(call: Any, batch: Any) -> Any:
    inputs = _inputs(call)
    names = [spec.name for spec in inputs] if hasattr(call, "structured_input_signature") else []
    if len(names) > 1:
        raise ModelError(
            f"The signature reads {', '.join(names)}; one input is needed: name another signature."
        )
    if names:
        return call(**{names[0]: batch})
    try:
        return call(batch, training=False)
    except (TypeError, ValueError):  # it was saved without the argument
        return call(batch)


def _inputs(call: Any) -> list[Any]:
    """Return the inputs of a signature, or of one of the functions behind a callable model."""
    if hasattr(call, "structured_input_signature"):
        return list(call.structured_input_signature[1].values())
    functions = getattr(call.__call__, "concrete_functions", ())
    taken = [function.structured_input_signature[0] for function in functions]
    return [arguments[0] for arguments in taken if arguments and hasattr(arguments[0], "shape")][:1]


def _shape(call: Any, side: int | None) -> tuple[int, int, int]:
    specs = _inputs(call)
    if specs and specs[0].dtype.name == "string":
        raise ModelError("The model reads texts. Write reads='text'.")
    shape = tuple(specs[0].shape) if specs and specs[0].shape.rank is not None else (None,) * 4
    return image_shape(shape, side, "size")


def _feature_output(outputs: Any, name: str | None) -> Any:
    """Return the output that holds the features, or the only one."""
    if not isinstance(outputs, dict):
        return outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    if name is not None and name not in outputs:
        raise ModelError(f"There is no output '{name}'. There are: {', '.join(sorted(outputs))}.")
    usual = [candidate for candidate in _FEATURES if candidate in outputs]
    if name is None and len(outputs) > 1 and not usual:
        raise ModelError(
            f"The model has the outputs {', '.join(sorted(outputs))}. Write which, as output='...'."
        )
    return outputs[name or [*usual, *outputs][0]]


class HeadInput(NamedTuple):
    """The start of a head, and whether its output is probabilities."""

    features: str  # the name of the tensor that enters it
    is_softmax: bool


def _find_head(output: Any) -> HeadInput | None:
    """Return the head behind an output: the last product with weights, if it is linear and as wide.

    Args:
        output: A tensor, examples x classes, of a graph whose variables are constants.
    """
    if output.shape.rank != 2:
        return None
    tensor, is_softmax = output, False
    while True:
        node = tensor.op
        entering = [tensor for tensor in node.inputs if not _is_constant(tensor)]
        if len(entering) != 1 or node.type in _STOPS:
            return None
        is_softmax = is_softmax or node.type == "Softmax"
        if node.type in ("MatMul", "Conv2D"):
            weight = next(tensor for tensor in node.inputs if tensor is not entering[0])
            is_point = node.type == "MatMul" or tuple(weight.shape[:2]) == (1, 1)
            wide = weight.shape[-1] == output.shape[-1] and output.shape[-1] > 1
            return HeadInput(entering[0].name, is_softmax) if is_point and wide else None
        tensor = entering[0]


def _is_constant(tensor: Any) -> bool:
    """Return whether a tensor depends on the input only by its shape."""
    node = tensor.op
    if node.type in ("Const", "Shape"):
        return True
    return bool(node.inputs) and all(_is_constant(source) for source in node.inputs)
