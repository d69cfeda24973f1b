"""Shell completion of the names of models, tasks and methods; it imports no framework."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import closing, contextmanager, redirect_stdout
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import say

if TYPE_CHECKING:
    from assay.store.results import Store

_DEFAULT_STORE = "assay-store"
_HUB = "hf"
_WITHOUT_DOWNLOAD = ("docstrings:default", "skimage:patches", "sklearn:digits")


def models(incomplete: str) -> list[str]:
    """Return addresses of models: sources first, then the names that tables of Assay and caches hold."""
    from assay.plugins.families import families

    return _addresses(incomplete, families().models.names(), _models_of)


def tasks(incomplete: str) -> list[str]:
    """Return addresses of tasks and suites; none for a path, which the shell completes itself."""
    from assay.plugins.families import families
    from assay.plugins.suite import SOURCE

    return _addresses(incomplete, (*families().tasks.names(), SOURCE), _tasks_of)


def models_and_tasks(incomplete: str) -> list[str]:
    """Return the completions of :func:`models` and :func:`tasks`."""
    return list(dict.fromkeys([*models(incomplete), *tasks(incomplete)]))


def everything(incomplete: str) -> list[str]:
    """Return addresses of models and tasks, scores and protocols."""
    return [*models_and_tasks(incomplete), *methods(incomplete)]


def methods(incomplete: str) -> list[str]:
    """Return scores and protocols."""
    from assay.plugins.families import families

    return _starting(incomplete, [*families().protocols.names(), *families().scores.names()])


def scores(incomplete: str) -> list[str]:
    """Return scores alone."""
    from assay.plugins.families import families

    return _starting(incomplete, families().scores.names())


def stored_models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models of the store that the command names, as reports call them."""
    from assay.actions import stored_models as stored

    return _stored(ctx, incomplete, stored.stored_models)


def stored_tasks(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the tasks of the store that the command names, as reports call them."""
    return _stored(ctx, incomplete, lambda store: [task.address for task in store.tasks()])


def join_words(environment: MutableMapping[str, str]) -> str:
    """Join the words of bash, which splits addresses at ``:``; return what it keeps of the last one.

    >>> environment = {"COMP_WORDS": "assay rank ./photos -m timm : resn", "COMP_CWORD": "6"}
    >>> join_words(environment), environment["COMP_WORDS"], environment["COMP_CWORD"]
    ('timm:', 'assay rank ./photos -m timm:resn', '4')
    """
    words = re.split(r"[ \n]", environment["COMP_WORDS"])
    current = int(environment["COMP_CWORD"])
    joined: list[str] = []
    follows_colon = False
    for word in words[: current + 1]:
        if joined and (word.startswith(":") or (follows_colon and word)):
            joined[-1] += word
        else:
            joined.append(word)
        follows_colon = word.endswith(":")
    environment["COMP_WORDS"] = " ".join(joined)
    environment["COMP_CWORD"] = str(len(joined) - 1)
    kept, colon, _ = joined[-1].rpartition(":")
    return kept + colon


@contextmanager
def whole_words(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Make the words of bash whole where it asks for completions, and print what it has to add to its own."""
    if environment.get("_ASSAY_COMPLETE") != "complete_bash" or "COMP_WORDS" not in environment:
        yield
        return
    kept = join_words(environment)
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().split():
            say(line.removeprefix(kept))


def _stored(ctx: typer.Context, incomplete: str, read: Callable[[Store], list[str]]) -> list[str]:
    from assay.core.errors import AssayError
    from assay.store.results import open_existing
    from assay.wording.short_names import short_names

    try:
        with closing(open_existing(Path(ctx.params.get("store") or _DEFAULT_STORE))) as store:
            addresses = read(store)
    except AssayError:  # there is no store, or none that can be read: nothing is completed
        return []
    return _starting(incomplete, [*short_names(addresses).values(), *addresses])


def _addresses(
    incomplete: str, sources: Iterable[str], names_of: Callable[[str], Iterable[str]]
) -> list[str]:
    source, colon, _ = incomplete.partition(":")
    if incomplete.startswith((".", "/", "~")):
        return []
    matching = [name for name in sources if name.startswith(source)]
    if not colon and len(matching) != 1:
        return [f"{name}:" for name in matching]
    if colon:
        matching = [name for name in matching if name == source]
    found = [f"{name}:{inner}" for name in matching for inner in names_of(name)] or [
        f"{name}:" for name in matching if not colon
    ]
    return _starting(incomplete, found)


def _models_of(source: str) -> Iterator[str]:
    tables = resources.files("assay") / "models" / source
    if tables.is_dir():
        for table in sorted(entry.name for entry in tables.iterdir() if entry.name.endswith(".tsv")):
            lines = (tables / table).read_text("utf-8").splitlines()
            names = (line.partition("\t")[0] for line in lines)
            yield from (name for name in names if name != "name")
    if source == "packaged":
        from assay.models.packaged import PackagedSource

        yield from PackagedSource.list_names()
    zoo = (resources.files("assay") / "run" / "zoo.tsv").read_text("utf-8").splitlines()
    for row in csv.DictReader(zoo, delimiter="\t"):
        named, _, name = row["address"].partition(":")
        if named == source:
            yield name
    if source == _HUB:
        yield from _cached_repositories()


def _cached_repositories() -> Iterator[str]:
    from assay.environment.cache import download_folders

    for folder in sorted(download_folders()[0].glob("models--*--*")):
        yield folder.name.removeprefix("models--").replace("--", "/")


def _tasks_of(source: str) -> Iterator[str]:
    from assay.plugins.suite import SOURCE, load_suite, suite_names

    if source == SOURCE:
        yield from suite_names()
        return
    in_suites = (str(task) for name in suite_names() for task in load_suite(name).tasks)
    for address in (*_WITHOUT_DOWNLOAD, *in_suites):
        named, _, name = address.partition(":")
        if named == source:
            yield name


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    """Return the names that continue what was written, each once; none that a shell wants quoted."""
    plain = (name for name in dict.fromkeys(names) if shlex.quote(name) == name)
    return [name for name in plain if name.startswith(incomplete)]
