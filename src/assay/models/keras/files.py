"""Opens models of keras.applications and files of Keras, in their process; no code of a file is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from assay.core.errors import CheckpointError
from assay.encoders.offline import how_to_fetch, keep_offline

_FOREIGN = re.compile(
    r"(?:Could not locate \w+|Unknown [\w ]+:) '?(\w+)"
)  # what Keras says of custom objects


def open_application(wanted: dict[str, Any]) -> Any:
    """Return a model of keras.applications, with its published weights, those of a file, or random ones."""
    import keras

    keep_offline()
    build = getattr(keras.applications, wanted["name"])
    weights = "imagenet" if wanted["pretrained"] and wanted["checkpoint"] is None else None
    try:
        if wanted["side"] is None:
            model = build(weights=weights)
        else:
            model = build(weights=None, input_shape=(wanted["side"], wanted["side"], 3))
            if weights is not None:
                model.set_weights(build(weights=weights).get_weights())
    except Exception as error:
        if "URL fetch failure" in str(error) or "incomplete or corrupted" in str(error):
            raise CheckpointError(
                f"The weights of '{wanted['name']}' are not in ~/.keras/models, and: {error}. "
                f"{how_to_fetch('keras:' + wanted['name'])}; or write checkpoint='file.weights.h5'."
            ) from error
        raise
    if wanted["pretrained"] and wanted["checkpoint"] is not None:
        model.load_weights(wanted["checkpoint"])
    return model


def open_file(wanted: dict[str, Any]) -> Any:
    """Return the model of a ``.keras`` or ``.h5`` file, or one like it with random weights."""
    import keras

    path = Path(wanted["name"])
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds; each fails this model alone
        raise CheckpointError(_why_unread(path, str(error).strip(), type(error).__name__)) from error
    return model if wanted["pretrained"] else keras.models.clone_model(model)


def _why_unread(path: Path, text: str, kind: str) -> str:
    found = _FOREIGN.search(text)
    if found is not None or "Lambda" in text:
        what = "a Lambda layer" if found is None else f"'{found[1]}'"
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
