"""Replaces a model source that fails before the model is opened, so that its jobs become failed rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from assay.core.errors import ModelError, Unavailable, UsageError
from assay.core.model import Model, ModelSource
from assay.core.result import Cause
from assay.core.task import Modality
from assay.environment.process_state import undone
from assay.plugins.address import Address
from assay.plugins.patterns import models_of
from assay.plugins.registry import Named
from assay.plugins.user_code import identity_of_source
from assay.run.failure import cause_of, raise_if_interrupted, reason_of


@final
@dataclass(frozen=True, slots=True)
class BrokenSource(ModelSource):
    """A source that cannot be opened.

    Attributes:
        address: The address of the model.
        reason: What its own source raised.
        cause: Whether that is of the environment.
    """

    address: str
    reason: str
    cause: Cause = Cause.MODEL

    def check(self) -> None:
        """Do nothing: the error is reported as results."""

    def modality(self) -> Modality:
        """Raise an error: the modality is unknown."""
        raise self._error()

    def identity(self) -> str:
        """Return an identity that no working model has, so its results are not reused."""
        return f"unknown identity of {self.address}"

    def open(self, device: str) -> Model:
        """Raise the error of the source."""
        raise self._error()

    def _error(self) -> ModelError:
        return (Unavailable if self.cause is Cause.ENVIRONMENT else ModelError)(self.reason)


def checked_models(address: Address) -> Iterator[Named[ModelSource]]:
    """Yield the models of an address; one whose source raises something else than a message is broken."""
    try:
        with undone():
            models = models_of(address)
    except UsageError:
        raise
    except BaseException as error:
        raise_if_interrupted(error)
        yield _broken(address, error)
        return
    for model in models:
        try:
            with undone():
                model.plugin.check()
        except UsageError as error:
            if type(error) is not UsageError or model.plugin.name in str(error):
                raise
            raise UsageError(f"{model.address}: {error}") from error
        except BaseException as error:
            raise_if_interrupted(error)
            yield _broken(model.address, error)
        else:
            yield model


def read_source(model: Named[ModelSource]) -> tuple[Named[ModelSource], str, Modality | None]:
    """Return a model with its identity, and its modality if it can say it; its source may be broken."""
    if isinstance(model.plugin, BrokenSource):
        return model, model.plugin.identity(), None
    try:
        with undone():
            identity, modality = identity_of_source(model.plugin), model.plugin.modality()
    except UsageError:
        raise
    except BaseException as error:
        raise_if_interrupted(error)
        broken = _broken(model.address, error)
        return broken, broken.plugin.identity(), None
    return model, identity, modality


def modality_of(model: Named[ModelSource]) -> Modality | None:
    """Return the modality of a model; None if its source is broken."""
    return read_source(model)[2]


def _broken(address: Address, error: BaseException) -> Named[ModelSource]:
    named = str(address.without_alias())
    return Named(address, BrokenSource(address.name, named, reason_of(error), cause_of(error)))
