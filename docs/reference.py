"""What the code says of itself, as Markdown: plug-ins, commands and public names, from their docstrings."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable

import typer.main
from typer.cli import get_docs_for_click

from assay.cli.main import app
from assay.plugins import method
from assay.plugins.families import BUILT_IN
from assay.plugins.registry import Registry
from assay.plugins.setting_docs import settings_of

LINE = 78  # characters of code that fit beside the navigation
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields", "References", "Note")
SEEN = {  # what a kind of score sees, and so what it costs
    method.MomentScore: ("sums over features", "one pass over train; memory does not grow with the examples"),
    method.SampleScore: ("a class-balanced sample of at most 5,000 examples", "bounded by the sample"),
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
