"""The catalogue: facts about models that are known before any download, by address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UsageError
from assay.core.model import ModelSource
from assay.core.task import Modality
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.patterns import listing, models_of
from assay.plugins.registry import Named
from assay.plugins.settings import all_settings, without_defaults
from assay.run.hub_facts import with_hub_facts


def catalogue_of(addresses: Iterable[str]) -> dict[str, CatalogueEntry]:
    """Return an entry for each model of addresses and patterns; uses no network and opens no model.

    Raises:
        UsageError: A pattern matches nothing, or a source has no such setting.
    """
    models = (model for address in addresses for model in models_of(Address.parse(address)))
    return {str(model): entry_of(model) for model in models}


def entry_of(model: Named[ModelSource]) -> CatalogueEntry:
    """Return what is known of a model; only its address if its source fails to say more."""
    try:
        entry = model.plugin.entry(str(model))
    except Exception:  # of a library, or of a source of the user's own: nothing is known
        return CatalogueEntry(str(model))
    return with_hub_facts(entry)


def listed(modality: Modality | None = None, sources: Iterable[str] = ()) -> Iterator[CatalogueEntry]:
    """Yield the entries of all models that installed sources can list.

    Args:
        modality: Only models that read it.
        sources: Only models of these; empty for all.
    """
    for name in sources or families().models.names():
        try:
            with listing(name):
                models = list(families().models.load(name).catalogue())
        except UsageError:  # its package is not installed, or does not run
            if sources:
                raise
            continue
        for model in models:
            entry = entry_of(Named(_address(name, model), model))
            if modality in {None, entry.modality}:
                yield entry


def _address(source: str, model: ModelSource) -> Address:
    settings = {key: value for key, value in all_settings(model).items() if key != "name"}
    return without_defaults(model, Address(source, model.name, tuple(settings.items())))  # type: ignore[arg-type]  # they are literals
