"""assay list: lists sources, methods and metrics, with one line each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from assay.cli import options
from assay.cli.printing import say, say_fitted

if TYPE_CHECKING:
    from assay.core.errors import UsageError

SUITES = "suites"
METHODS = "methods"  # scores and protocols
_TEXT = 25  # columns before what a name means

EXAMPLES = """
Examples:

- `assay list`  # shows sources, scores, protocols and metrics

- `assay list torch`  # shows the settings of a source, with their types

- `assay list models --modality image --max-parameters 30M --licence apache-2.0 --sort source-accuracy`

- `assay list 'timm:*mobilenet*(max_parameters=5e6)'`  # shows the models that a pattern names
"""


def command(
    pattern: Annotated[str | None, typer.Argument(help="A family, a plug-in, or source:pattern.")] = None,
    modality: Annotated[str | None, typer.Option(help="Models for image, text or audio.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Models of this source; repeat it.")] = None,
    max_parameters: options.MaxParameters = None,
    licence: options.Licence = None,
    max_download: Annotated[
        str | None, typer.Option(help="No larger weights: 200MB; local ones are 0.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Only models that are packaged or cached.")] = False,
    sort: Annotated[
        str | None, typer.Option(help="source-accuracy, parameters, macs, download, released, downloads.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Print at most this many models.")] = None,
    plugin: options.Plugins = None,
) -> None:
    """List sources of models and tasks, methods, metrics, suites; models by facts; settings of a source."""
    asked = (modality, source, max_parameters, licence, max_download, local or None, sort, limit)
    if any(option is not None for option in asked):
        from assay.actions.list_models import ModelQuery, find
        from assay.cli.model_table import print_models
        from assay.core.errors import UsageError

        options.add_plugins(plugin)
        if pattern not in {None, "models"}:
            raise UsageError(f"These options list models. Write 'assay list models', not '{pattern}'.")
        query = ModelQuery(
            modality=modality,
            sources=source or (),
            max_parameters=max_parameters,
            licences=licence or (),
            max_download=max_download,
            local=local,
            sort=sort or "address",
        )
        found = find(query)
        print_models(found.entries[:limit])
        shown = min(len(found.entries), limit or len(found.entries))
        for line in (f"{shown:,} of {len(found.entries):,} models", *found.notes):
            say(line, file=sys.stderr)
        return
    _list(pattern, plugin)


def _list(pattern: str | None, plugin: list[Path] | None) -> None:
    from assay.plugins.address import Address
    from assay.plugins.families import families
    from assay.plugins.patterns import listing, models_of, so_many

    options.add_plugins(plugin)
    known = families()
    listed = {
        registry.family: registry
        for registry in (known.models, known.tasks, known.scores, known.protocols, known.metrics)
    }
    if pattern is None or pattern in {*listed, SUITES, METHODS}:
        methods = [known.scores.family, known.protocols.family]
        chosen = methods if pattern == METHODS else [pattern] if pattern else [*listed, SUITES]
        for family in chosen:
            _print_suites() if family == SUITES else _print_family(listed[family])
        return
    source, _, names = pattern.partition(":")
    owner = next((registry for registry in listed.values() if source in registry.names()), None)
    if owner is None:
        plugins = {name for registry in listed.values() for name in registry.names()}
        raise _unknown(source, (*listed, SUITES), plugins)
    member: type[object] = owner.load(source)
    with listing(source):
        has_names = owner is known.models and bool(list(known.models.load(source).list_names()))
    if not has_names:
        if owner is known.models:
            say(f"'{source}' opens any name or folder; it has no list of models.")
        _print_settings(source, member, sys.stdout)
        return
    if not names:
        _print_settings(source, member, sys.stderr)
    models = models_of(Address.parse(f"{source}:{names or '*'}"))
    for model in models:
        say(model)
    say(so_many(models), file=sys.stderr)


def _unknown(name: str, families: tuple[str, ...], plugins: set[str]) -> UsageError:
    """Return an error with similar names, or with the names of the families where none is similar."""
    from assay.core.errors import UnknownName, UsageError

    similar = UnknownName("family or plug-in", name, {*families, *plugins})
    if "Did you mean" in str(similar):
        return similar
    return UsageError(
        f"No family or plug-in called '{name}'. Families: {', '.join(families)}; 'assay list' shows the "
        "plug-ins of each."
    )


def _print_settings(name: str, member: type[object], stream: TextIO) -> None:
    from assay.plugins.setting_docs import settings_of

    settings = settings_of(member)
    say(f"{name} has no settings." if not settings else f"Settings of {name}:", file=stream)
    for setting in settings:
        default = f", by default {setting.default}" if setting.default else ""
        say_fitted(f"  {setting.name}: {setting.type}{default}", indent=6, file=stream)
        if setting.doc:
            say_fitted(f"      {' '.join(setting.doc.split())}", indent=6, file=stream)


def _print_suites() -> None:
    from assay.plugins.suite import load_suite, suite_names

    say(f"{SUITES}:")
    for name in suite_names():
        say_fitted(f"  {name:22} {load_suite(name).title}", indent=_TEXT)


def _print_family(registry: object) -> None:
    from assay.core.errors import MissingPackage
    from assay.plugins.registry import Registry

    assert isinstance(registry, Registry)
    say(f"{registry.family}:")
    for name in registry.names():
        try:
            member = registry.load(name)
            line = getattr(member, "summary", "") or (member.__doc__ or "").strip().partition("\n")[0]
        except MissingPackage as missing:
            line = f"({missing})"
        say_fitted(f"  {name:22} {line}", indent=_TEXT)
