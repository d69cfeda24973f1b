"""Builds the documentation site into build/site: the pages of this folder, and what the code says of itself.

    python docs/build_site.py

A line such as ``<!-- generated: scores -->`` in a page is replaced by the reference of those plug-ins, which
is written nowhere else. Links to files outside of this folder go to a copy of that page. The site needs no
network: no font, script or style comes from another host, and a build that names one fails.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import typer.main
from typer.cli import get_docs_for_click

from assay.cli.main import app
from assay.plugins import method
from assay.plugins.families import BUILT_IN
from assay.plugins.registry import Registry
from assay.plugins.setting_docs import settings_of

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BUILD = ROOT / "build" / "documentation"
OUTSIDE = {  # pages that live elsewhere in the repository, by the name that they have on the site
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "architecture.md": "ARCHITECTURE.md",
    "past_tables.md": "src/assay/search/past/tables/README.md",
}
LINE = 78  # characters of code that fit beside the navigation
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields", "References", "Note")
SEEN = {  # what a kind of score sees, and so what it costs
    method.MomentScore: ("sums over features", "one pass over train; memory does not grow with the examples"),
    method.SampleScore: ("a class-balanced sample of at most 5,000 examples", "grows with the square of it"),
    method.HeldOutScore: ("sums over folds, and held-out examples", "one factorisation of width x width"),
    method.SourceScore: ("probabilities of the source head", "examples x source classes"),
    method.ContrastScore: ("a sample, also encoded with random weights", "a second pass of the encoder"),
    method.FactScore: ("facts of the model", "nothing: no example is encoded"),
    method.WeightScore: ("the weights", "a decomposition of each layer; no example is encoded"),
    method.FisherScore: ("gradients of the weights", "forward and backward passes; the dearest"),
}


def escaped(line: str) -> str:
    """Return a line of a docstring in which nothing is HTML, and roles of Sphinx are code."""
    line = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line)
    parts = re.split(r"(``?[^`]*``?)", line)
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def linked(text: str) -> str:
    """Return text in which addresses are links."""
    return re.sub(r"(?<![(<\"])(https?://[^\s,)]+[\w/])", r"<\1>", text)


def in_markdown(doc: str) -> str:
    """Return a docstring in Google style as Markdown; its doctest, which comes last, is code."""
    text, prompt, example = inspect.cleandoc(doc).partition(">>> ")
    lines: list[str] = []
    section = ""
    for line in text.rstrip().split("\n"):
        if line.endswith(":") and line[:-1] in SECTIONS:
            section = line[:-1]
            lines += ["", f"**{section}**", ""]
        elif section and line.startswith("    "):
            lines.append(entry_of(section, line[4:], goes_on=lines[-1].startswith(("- ", "  "))))
        else:
            section = section if not line.strip() else ""
            lines.append(linked(escaped(line)))
    return "\n".join(lines) + (f"\n\n```pycon\n{prompt}{example}\n```" if prompt else "")


def entry_of(section: str, line: str, *, goes_on: bool) -> str:
    """Return a line of a section: an item of a list, or the next line of one."""
    named = re.match(r"(\w+): (.*)$", line) if section in ("Args", "Attributes", "Raises") else None
    if named:
        return f"- `{named[1]}`: {linked(escaped(named[2]))}"
    is_new = section == "References" and re.search(r"^[^:]*\(.*\d{4}\)|^``", line)
    return ("- " if is_new else "  " if goes_on else "") + linked(escaped(line.strip()))


def plug_ins(registry: Registry) -> str:
    """Return the reference of all plug-ins of a family."""
    built_in = Registry(registry.family, registry.base, registry.what)
    members = {name: built_in.load(name) for name in built_in.names()}
    rows = ["| name | what it is |", "|---|---|"]
    for name, member in members.items():
        first = inspect.cleandoc(member.__doc__ or "").partition("\n")[0]
        rows.append(f"| [`{name}`](#{name}) | {escaped(first)} |")
    parts = ["\n".join(rows)]
    for name, member in members.items():
        doc = inspect.cleandoc(member.__doc__ or "").partition("\n>>> ")[0]
        doc = re.sub(r"\n*Attributes:\n(?:    .*\n?|\n(?=    ))*", "\n\n", doc)
        summary, _, rest = doc.partition("\n\n")
        parts += [f"### {name} {{ #{name} }}", in_markdown(summary), applies(member), settings(member)]
        parts.append(in_markdown(rest))
    return "\n\n".join(part for part in parts if part)


def applies(member: type) -> str:
    """Return to what a score or protocol applies, what it sees and costs."""
    kinds = getattr(member, "kinds", ())
    facts = []
    for base, (sees, cost) in SEEN.items():
        if issubclass(member, base):
            facts += [f"**Sees** {sees}", f"**Cost** {cost}"]
    if kinds:
        facts.insert(0, "**Applies to** " + ", ".join(sorted(str(kind) for kind in kinds)))
    if issubclass(member, method.Score) and not member.needs_labels:
        facts.append("**Labels** are not used")
    return " · ".join(facts)


def settings(member: type) -> str:
    """Return the settings of a plug-in as a table."""
    rows = [
        f"| `{item.name}` | {item.type} | `{item.default}` | {escaped(item.doc)} |".replace("``", "")
        for item in settings_of(member)
    ]
    return "\n".join(["| setting | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""


def command_line() -> str:
    """Return the reference of all commands and options."""
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="assay"), name="assay")
    return text.partition("\n")[2]


def public(module: str) -> Callable[[], str]:
    """Return a function that describes the public names of a module."""

    def described() -> str:
        home = importlib.import_module(module)
        return "\n\n".join(name_of(getattr(home, name), f"{module}.{name}") for name in home.__all__)

    return described


def name_of(member: object, name: str) -> str:
    """Return the signature and the docstring of a public name, and of its methods."""
    parts = [f"### {name} {{ #{name} }}"]
    if not (inspect.isclass(member) or inspect.isfunction(member)):
        return "\n\n".join([*parts, f"`{member!r}`" if isinstance(member, frozenset) else "A type."])
    parts += [signature(member, name.rpartition(".")[2]), in_markdown(inspect.getdoc(member) or "")]
    if name == "assay.Study":
        parts.append(in_markdown(inspect.getdoc(member.__mro__[1]) or ""))
    if inspect.isclass(member):
        for key, value in sorted(vars(member).items()):
            function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if isinstance(function, property) and not key.startswith("_"):
                parts += [f"**{key}**: {escaped((function.__doc__ or '').partition(chr(10))[0])}"]
            elif inspect.isfunction(function) and not key.startswith("_"):
                parts += [signature(function, key), in_markdown(function.__doc__ or "")]
    return "\n\n".join(part for part in parts if part)


def signature(member: Callable[..., object], name: str) -> str:
    """Return how a class or function is called: one parameter a line where it is long."""
    try:
        called = inspect.signature(member)
    except ValueError:
        return ""
    parameters = [text_of(parameter) for parameter in called.parameters.values() if parameter.name != "self"]
    returned = called.empty if inspect.isclass(member) else called.return_annotation
    end = "" if returned is called.empty else f" -> {plain(returned)}"
    line = f"{name}({', '.join(parameters)}){end}"
    if len(line) > LINE:
        line = f"{name}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f"){end}"
    return f"```python\n{line}\n```"


def text_of(parameter: inspect.Parameter) -> str:
    """Return a parameter as it is written."""
    text = str(parameter.replace(annotation=inspect.Parameter.empty, default=inspect.Parameter.empty))
    if parameter.annotation is not parameter.empty:
        text += f": {plain(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        shown = repr(parameter.default)
        text += f" = {'...' if shown.startswith('<') else shown}"
    return text


def plain(annotation: object) -> str:
    """Return a type without its module."""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


GENERATED: dict[str, Callable[[], str]] = {
    **{
        registry.family: (lambda registry=registry: plug_ins(registry))
        for registry in (
            BUILT_IN.scores,
            BUILT_IN.protocols,
            BUILT_IN.metrics,
            BUILT_IN.models,
            BUILT_IN.tasks,
        )
    },
    "commands": command_line,
    "assay": public("assay"),
    "assay.plugins": public("assay.plugins"),
}


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.py", "*.toml", "__pycache__"))
    for name, source in OUTSIDE.items():
        shutil.copy(ROOT / source, folder / name)
    for page in folder.rglob("*.md"):
        text = page.read_text("utf-8")
        text = re.sub(r"<!-- generated: ([\w.]+) -->", lambda found: GENERATED[found[1]](), text)
        for name, source in OUTSIDE.items():
            text = text.replace(f"](../{source})", f"]({name})").replace(f"]({source})", f"]({name})")
        if page.name in OUTSIDE:
            text = text.replace("](docs/", "](")
        page.write_text(text, "utf-8")


def write_index_for_models(pages: Path, site: Path) -> None:
    """Write llms.txt: each page with its first sentence; the pages themselves lie beside it as Markdown."""
    nav = tomllib.loads((DOCS / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    lines = [
        "# Assay",
        "",
        "> Which pretrained model fits my tasks, how sure is that, and what does it cost?",
        "",
    ]
    for group in nav:
        (title, entries), *_ = group.items()
        lines += [f"## {title}", ""]
        for entry in [{title: entries}] if isinstance(entries, str) else entries:
            (name, page), *_ = entry.items()
            lines.append(f"- [{name}]({page}): {first_sentence((pages / page).read_text('utf-8'))}")
            (site / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pages / page, site / page)
        lines.append("")
    (site / "llms.txt").write_text("\n".join(lines), "utf-8")


def first_sentence(text: str) -> str:
    """Return the first sentence of a page below its title."""
    body = re.sub(r"```.*?```|<!--.*?-->|!\[[^\n]*", "", text, flags=re.DOTALL)
    plain = [
        part for part in body.split("\n\n")[1:] if part.strip() and not part.lstrip().startswith(("#", "|"))
    ]
    words = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", " ".join(plain[0].split())) if plain else ""
    return re.split(r"(?<=[.:!?]) (?=[A-Z`])", words.replace("**", ""))[0].rstrip(":")


def foreign_hosts(site: Path) -> list[str]:
    """Return what pages load from other hosts, which should be nothing."""
    loads = re.compile(
        r"""<(?:script|img|iframe|source)[^>]*\bsrc=["']?https?://[^"'>\s]+|<link[^>]*stylesheet[^>]*https?://[^>]*"""
    )
    return [
        f"{page.name}: {found}"
        for page in site.rglob("*.html")
        for found in loads.findall(page.read_text("utf-8"))
    ]


def main() -> None:
    """Build the site; stop with a message where anything is wrong."""
    BUILD.mkdir(parents=True, exist_ok=True)
    write_pages(BUILD / "docs")
    shutil.copy(DOCS / "zensical.toml", BUILD / "zensical.toml")
    zensical = Path(sys.executable).with_name("zensical")
    done = subprocess.run([zensical, "build", "--strict", "--clean"], cwd=BUILD, check=False)
    if done.returncode:
        sys.exit("A page of the documentation is wrong: see above.")
    write_index_for_models(BUILD / "docs", BUILD / "site")
    if foreign := foreign_hosts(BUILD / "site"):
        sys.exit("The site loads from other hosts: " + "; ".join(foreign[:5]))
    site = (BUILD / "site").relative_to(ROOT)
    print(f"Built {site}. To read and search it: python -m http.server -d {site}")


if __name__ == "__main__":
    main()
