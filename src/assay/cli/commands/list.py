"""assay list: lists sources, methods and metrics, with one line each."""

from __future__ import annotations

import sys
import textwrap
from typing import Annotated, TextIO

import typer

from assay.cli import options

SUITES = "suites"

EXAMPLES = """
Examples:

- `assay list` shows sources, scores, protocols and metrics

- `assay list torch` shows the settings of a source, with their types

- `assay list 'timm:*mobilenet*(max_parameters=5e6)'` shows the models that a pattern names
"""


def command(
    pattern: Annotated[str | None, typer.Argument(help="A family, a plug-in, or source:pattern.")] = None,
    plugin: options.Plugins = None,
) -> None:
    """List model sources, task sources, suites and methods; the settings of one; the models of a source."""
    from assay.core.errors import UnknownName
    from assay.plugins.address import Address
    from assay.plugins.families import families
    from assay.plugins.patterns import models_of, so_many

    options.add_plugins(plugin)
    known = families()
    listed = {
        registry.family: registry
        for registry in (known.models, known.tasks, known.scores, known.protocols, known.metrics)
    }
    if pattern is None or pattern in {*listed, SUITES}:
        for family in [pattern] if pattern else [*listed, SUITES]:
            _print_suites() if family == SUITES else _print_family(listed[family])
        return
    source, _, names = pattern.partition(":")
    owner = next((registry for registry in listed.values() if source in registry.names()), None)
    if owner is None:
        plugins = {name for registry in listed.values() for name in registry.names()}
        raise UnknownName("family or plug-in", source, {*listed, SUITES, *plugins})
    member: type[object] = owner.load(source)
    if owner is not known.models or not list(known.models.load(source).list_names()):
        if owner is known.models:
            print(f"'{source}' opens any name or folder that you give it; it has no list of its own.")
        _print_settings(source, member, sys.stdout)
        return
    if not names:
        _print_settings(source, member, sys.stderr)
    models = models_of(Address.parse(f"{source}:{names or '*'}"))
    for model in models:
        print(model)
    print(so_many(models), file=sys.stderr)


def _print_settings(name: str, member: type[object], stream: TextIO) -> None:
    from assay.plugins.setting_docs import settings_of

    settings = settings_of(member)
    print(f"{name} has no settings." if not settings else f"Settings of {name}:", file=stream)
    for setting in settings:
        default = f", by default {setting.default}" if setting.default else ""
        print(f"  {setting.name}: {setting.type}{default}", file=stream)
        if setting.doc:
            print(
                textwrap.fill(setting.doc, 96, initial_indent=" " * 6, subsequent_indent=" " * 6), file=stream
            )


def _print_suites() -> None:
    from assay.plugins.suite import load_suite, suite_names

    print(f"{SUITES}:")
    for name in suite_names():
        print(f"  {name:22} {load_suite(name).title}")


def _print_family(registry: object) -> None:
    from assay.core.errors import MissingPackage
    from assay.plugins.registry import Registry

    assert isinstance(registry, Registry)
    print(f"{registry.family}:")
    for name in registry.names():
        try:
            member = registry.load(name)
            line = getattr(member, "summary", "") or (member.__doc__ or "").strip().partition("\n")[0]
        except MissingPackage as missing:
            line = f"({missing})"
        print(f"  {name:22} {line}")
