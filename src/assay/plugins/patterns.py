"""Resolves addresses to models: a single model, or all matches of a pattern such as ``timm:vit_small*``."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sized
from contextlib import contextmanager

from assay.core.errors import AssayError, UsageError
from assay.core.limits import Limits
from assay.core.model import ModelSource
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.registry import Named

FILTER = "max_parameters"  # a setting of patterns, as in timm:*(max_parameters=30e6)

Models = tuple[Named[ModelSource], ...]


def models_of(address: Address) -> Models:
    """Return the model of an address, or the distinct models of a pattern, without opening them.

    If names of weights follow a dot, a pattern without a dot selects all weights of the matching
    architectures. The setting ``max_parameters`` of a pattern excludes larger models.

    Raises:
        UsageError: No model matches, no match is small enough, the source cannot list its models, or not
            report the number of parameters without opening the model.
    """
    settings = {key: value for key, value in address.settings if key != FILTER}
    bare = Address(address.source, address.name, tuple(settings.items()))
    model = families().models.create_from_source(bare)
    with listing(address.source):
        choices = sorted(model.plugin.choices()) if is_pattern(address) else []
    most = _most(address)
    if not choices:
        if most is not None:
            raise UsageError(
                f"'{FILTER}' chooses among the models of a pattern, as in 'timm:*({FILTER}=30e6)'; "
                f"'{bare}' is one model. Write --max-parameters to leave models out of a ranking."
            )
        return (model,)
    if address.alias:
        raise UsageError(f"'{address}' is a pattern of models, and an alias names one. Leave the alias out.")
    fitting = [name for name in choices if _fits(name, address.name)]
    if not fitting:
        raise UsageError(
            f"No model of '{address.source}' called '{address.name}', of {so_many(choices)}. To see their "
            f"names: assay list '{address.source}:*', or assay list models --source {address.source}."
        )
    models = tuple(families().models.create_from_source(bare.with_name(name)) for name in fitting)
    return models if most is None else _small(models, most, address)


@contextmanager
def listing(source: str) -> Iterator[None]:
    """Raise ``UsageError`` for any exception of a source's library when it lists its models."""
    try:
        yield
    except AssayError:
        raise
    except Exception as error:  # a library that is damaged, or does not fit another one
        raise UsageError(
            f"'{source}' cannot list its models: {type(error).__name__}: {error}. Its library does not run; "
            "install it again, or name models of another source."
        ) from error


def is_pattern(address: Address) -> bool:
    """Return whether an address contains a wildcard."""
    return any(letter in address.name for letter in "*?[")


def so_many(models: Sized) -> str:
    """Format a number of models, as in "1 model" or "1,200 models"."""
    return f"{len(models):,} model{'' if len(models) == 1 else 's'}"


def _fits(name: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(name, fitting) for fitting in (pattern, f"{pattern}.*"))


def _most(address: Address) -> float | None:
    written = dict(address.settings).get(FILTER)
    if written is not None and (not isinstance(written, (str, int, float)) or isinstance(written, bool)):
        raise UsageError(f"{FILTER} is {written!r}. Write a count, as in 30e6 or '30M'.")
    return Limits.of(written).max_parameters


def _small(models: Models, most: float, address: Address) -> Models:
    """Return the models with at most ``most`` parameters."""
    counts = [_counted(model) for model in models]
    small = tuple(model for model, count in zip(models, counts, strict=True) if count <= most)
    if not small:
        least, smallest = min(zip(counts, map(str, models), strict=True))
        raise UsageError(
            f"'{address}' names {so_many(models)}, none with at most {most:,.0f} parameters; "
            f"the smallest is '{smallest}' with {least:,}."
        )
    return small


def _counted(model: Named[ModelSource]) -> int:
    count = model.plugin.parameters()
    if count is None:
        raise UsageError(
            f"'{model.address.source}' does not tell the parameters of '{model}' without opening it. Leave "
            f"'{FILTER}' out; --max-parameters leaves large models out of the ranking once they were opened."
        )
    return count
