"""Opens a model and tests it on a small batch, for ``assay check``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.core.errors import AssayError, ModelError, NotApplicable
from assay.core.model import Model, ModelFacts, ModelSource
from assay.core.task import Example, Modality
from assay.core.text import plural
from assay.run.consistency import COUNT, sample_examples
from assay.wording.facts import preprocessing_text

TOLERANCE = 1e-3  # relative to the largest feature: float32 sums in another order differ less


def inspect(source: ModelSource, device: str) -> Iterator[tuple[str, str]]:
    """Open a model and yield its properties, as names and values; raise ``ModelError`` if it misbehaves."""
    try:
        model = source.open(device)
    except AssayError as error:
        raise ModelError(str(error)) from error
    except Exception as error:  # any exception of a model is reported in one line
        raise ModelError(f"{type(error).__name__}: {error}") from error
    try:
        yield from _facts(model.facts, source.modality())
        yield "trainable", _trainable(model)
        own = model.samples if model.names is None else model.names
        yield "verified", prove(model, [*own[:COUNT]] if own else sample_examples(source.modality()))
    finally:
        model.close()


def prove(model: Model, examples: list[Example]) -> str:
    """Test a model on some examples; return the passed checks as text, or raise ``ModelError``."""
    together = model.encode(examples).features
    if not np.isfinite(together).all():
        raise ModelError("features are not finite (NaN or infinity) on ordinary examples: check the weights")
    if together.shape != (len(examples), model.facts.width):
        raise ModelError(f"features have shape {together.shape}, not {(len(examples), model.facts.width)}")
    scale = float(np.abs(together).max()) or 1.0
    alone = np.concatenate([model.encode([example]).features for example in examples])
    if np.abs(alone - together).max() > TOLERANCE * scale:
        raise ModelError("the features of an example depend on the others in its batch: is it in eval mode?")
    if not np.array_equal(model.encode(examples).features, together):
        raise ModelError("encoding twice gives different features: is there randomness in the forward pass?")
    if len(np.unique(np.round(together / scale, 5), axis=0)) == 1:
        raise ModelError("all examples have the same features: the model does not look at its input")
    return (
        f"{len(examples)} examples: the same features in batches of 1 and {len(examples)}, "
        "finite, deterministic"
    )


def _trainable(model: Model) -> str:
    """Return whether the model can be trained; raise ``ModelError`` if it is not in evaluation mode."""
    try:
        with model.training() as trainable:
            for name, part in trainable.module.named_modules():
                if part.training:
                    what = name or type(part).__name__
                    raise ModelError(f"'{what}' is in training mode: call eval() on it")
            weights = sum(weight.numel() for weight in trainable.module.parameters())
    except NotApplicable as reason:
        return f"no: {reason}"
    return f"yes, {weights:,} weights"


def _facts(facts: ModelFacts, modality: Modality) -> Iterator[tuple[str, str]]:
    yield "reads", f"{modality}, {facts.input}"
    yield "preprocessing", preprocessing_text(facts.preprocessing)
    if facts.input_note:
        yield "range", facts.input_note
    yield "feature width", f"{facts.width:,}"
    yield "source head", plural(facts.source_classes, "class") if facts.source_classes else "none"
    yield "parameters", f"{facts.parameters:,} ({facts.bytes / 1e6:.1f} MB)"
    yield "MACs", f"{facts.macs:,}" if facts.macs else "not countable"
    yield "weights", f"{facts.weights} ({facts.fingerprint[:12]})"
    yield "licence", facts.licence or "not known"
