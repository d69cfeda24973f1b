"""Whether a checkpoint contains all weights that the model needs."""

from __future__ import annotations

from collections.abc import Iterable

from assay.core.errors import CheckpointError

_ONLY_IN_TRAINING = ("masked_spec_embed",)  # the embedding of masked frames, often missing in checkpoints


def require_complete(missing: Iterable[str], name: str, family: str, pooling: str | None) -> None:
    """Raise ``CheckpointError`` for weights that a checkpoint lacks, unless they are not read.

    Args:
        missing: The names of the weights.
        name: The model, as in "org/name".
        family: The class of transformers that reads them.
        pooling: The setting of that name; the pooling layer is read with "pooler" alone.
    """
    unused = (*_ONLY_IN_TRAINING, *(() if pooling == "pooler" else ("pooler",)))
    read = [weight for weight in sorted(missing) if not any(part in weight for part in unused)]
    if read:
        raise CheckpointError(
            f"'hf:{name}' lacks weights of {family}: {', '.join(read[:3])}. "
            f"Choose a checkpoint that has them, or another pooling."
        )
