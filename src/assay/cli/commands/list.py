"""assay list: lists sources, methods and metrics, with one line each."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from assay.cli import options

SUITES = "suites"

EXAMPLES = """
Examples:

- `assay list` shows sources, scores, protocols and metrics

- `assay list 'timm:*mobilenet*(max_parameters=5e6)'` shows the models that a pattern names
"""


def command(
    pattern: Annotated[
        str | None, typer.Argument(help="A family, a model source, or source:pattern.")
    ] = None,
    plugin: options.Plugins = None,
) -> None:
    """List model sources, task sources, suites, scores, protocols and metrics, or the models of a source."""
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
    if source not in known.models.names():
        raise UnknownName("family or model source", source, {*listed, SUITES, *known.models.names()})
    if not list(known.models.load(source).list_names()):
        print(f"'{source}' opens any name or folder that you give it; it has no list of its own.")
        return
    models = models_of(Address.parse(f"{source}:{names or '*'}"))
    for model in models:
        print(model)
    print(so_many(models), file=sys.stderr)


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
