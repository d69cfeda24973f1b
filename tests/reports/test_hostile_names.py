"""Every report of models and tasks with hostile names, read by a real parser of its format."""

import csv
import io
import json
import re
import subprocess
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from types import MappingProxyType

import pytest
import yaml
from markdown_it import MarkdownIt

from assay.findings.deferred import Deferred
from assay.reports.csv import Csv
from assay.reports.eval_results import EvalResults
from assay.reports.html import Html
from assay.reports.json import Json
from assay.reports.latex import Latex
from assay.reports.markdown import Markdown
from assay.reports.model_index import ModelIndex
from assay.reports.terminal import Terminal
from assay.reports.terminal.lines import command_lines

NAMES = (
    "=HYPERLINK('http://evil')",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\tA1",
    "\rA1",
    "＝1+1",
    "[5cm]",
    "*star",
    "a\x1b[2J\x1b]0;owned\x07b",
    "gpj.\u202eexe",
    "null",
    "yes: [1",
    "- a: &b *b",
    "a\x00b\x0bc\x85d",
    "'''\"\"\"\\",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "$x^2_\\input{/etc/passwd}%",
    "`id` | [x](javascript:alert(1)) ![y](z)",
    "&lt;b&gt;",
    "a\nRecommended: evil",
    "$(touch owned);`id`'\"\n#",
    "caf\udce9",
    "a\x85- b: c",
    "\u2028x: 1",
    "1e-05",
)
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def renamed(value, names):
    """Return findings in which every text has other names of models and tasks."""
    if isinstance(value, str) and type(value) is str:
        for before, after in names.items():
            value = value.replace(before, after)
        return value
    if is_dataclass(value) and not isinstance(value, type):
        copy = object.__new__(type(value))
        for field in fields(value):
            object.__setattr__(copy, field.name, renamed(getattr(value, field.name), names))
        return copy
    if isinstance(value, (dict, MappingProxyType)):
        return {renamed(key, names): renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, Deferred):
        value = tuple(value)
    return type(value)(renamed(inner, names) for inner in value) if type(value) in {tuple, list} else value


@pytest.fixture(scope="module")
def hostile(comparison):
    models = sorted({cell.model for cell in comparison.cells}, key=len, reverse=True)
    tasks = [findings.task.address for findings in comparison.tasks]
    of_models = {
        model: NAMES[at % len(NAMES)] + str(at // len(NAMES) or "") for at, model in enumerate(models)
    }
    of_tasks = {task: f"{NAMES[(len(models) + at) % len(NAMES)]} task{at}" for at, task in enumerate(tasks)}
    classes = dict.fromkeys(name for findings in comparison.tasks for name in findings.task.classes)
    of_classes = {name: f"{NAMES[-1 - at % len(NAMES)]} class{at}" for at, name in enumerate(classes)}
    return renamed(comparison, of_models | of_tasks | of_classes)


def with_a_benchmark(comparison, model):
    """Return findings on one data set of the hub, of which the best model has this name."""
    first = comparison.tasks[0]
    facts = replace(first.task, address="hub:a/b(config='\U0001f600\u2028x: 1')")
    tasks = (replace(first, task=facts, standings=(replace(first.standings[0], value=1e-05),)),)
    return renamed(replace(comparison, tasks=tasks), {first.standings[0].model: model})


@pytest.fixture(scope="module")
def texts(hostile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    reports = (Csv(), EvalResults(), Html(), Json(), Latex(), Markdown(), ModelIndex(), Terminal())
    for report in reports:
        report.render(hostile, folder / f"out{report.suffix}")
    return {
        report.suffix: (folder / f"out{report.suffix}").read_bytes().decode("utf-8") for report in reports
    }


def test_a_terminal_and_a_text_file_show_what_they_would_obey(texts, hostile, tmp_path):
    Terminal(width=2000).render(hostile, tmp_path / "wide.txt")  # no name is wrapped

    assert not UNSEEN.search(texts[".txt"])
    assert r"a\x1b[2J" in texts[".txt"]
    assert r"gpj.\u202eexe" in texts[".txt"]
    assert not re.search(r"^Recommended: evil", (tmp_path / "wide.txt").read_text(), re.MULTILINE)


def test_a_spreadsheet_has_no_formula_in_any_cell(texts):
    rows = list(csv.reader(io.StringIO(texts[".csv"], newline="")))

    cells = [cell for row in rows for cell in row if not re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)]
    assert len({len(row) for row in rows}) == 1
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))]


def test_json_holds_the_very_names(texts, hostile):
    models = {cell["model"] for cell in json.loads(texts[".json"])["cells"]}

    assert {cell.model for cell in hostile.cells} == models


def test_yaml_is_read_back_as_texts(texts):
    index = yaml.safe_load(texts[".yaml"])["model-index"]

    assert all(isinstance(entry["name"], str) for entry in index)
    assert all(isinstance(result["dataset"]["name"], str) for entry in index for result in entry["results"])
    assert {"null", "yes: [1"} & {entry["name"] for entry in index}


@pytest.mark.parametrize("name", [NAMES[9], NAMES[14], NAMES[22], *NAMES[-4:]])
def test_results_for_the_hub_are_read_back_as_numbers_and_texts(comparison, tmp_path, name):
    EvalResults().render(with_a_benchmark(comparison, name), tmp_path / "out")

    (entry,) = yaml.safe_load((tmp_path / "out").read_text("utf-8"))
    assert entry["value"] == 1e-05
    assert entry["dataset"] == {"id": "a/b", "task_id": "\U0001f600\\u2028x: 1"}


def test_markdown_has_no_link_image_html_or_code_from_a_name(texts):
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(texts[".md"])
    inner = [token for block in tokens for token in block.children or ()]

    kinds = {token.type for token in [*tokens, *inner]}
    html = [token.content for token in [*tokens, *inner] if token.type.startswith("html")]
    assert not kinds & {"link_open", "image", "code_inline", "fence", "heading_open", "html_block", "s_open"}
    assert set(html) <= {"<br>"}
    assert not UNSEEN.search(texts[".md"])


def test_latex_has_no_command_or_argument_from_a_name(texts):
    body = re.sub(r"^%.*$", "", texts[".tex"], flags=re.MULTILINE)

    commands = set(re.findall(r"\\([a-zA-Z]+)", body.replace("\\\\", " ")))
    assert commands <= {
        "begin", "end", "caption", "toprule", "midrule", "bottomrule", "textbf", "underline", "scriptsize",
        "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "uparrow",
        "downarrow",
    }  # fmt: skip
    assert not re.search(r"(\\\\|rule)\s*[\[*]", body)
    assert not UNSEEN.search(body)


def test_the_page_has_the_scripts_and_elements_of_a_harmless_one(texts, comparison, tmp_path):
    Html().render(comparison, tmp_path / "plain.html")

    assert _elements(texts[".html"]) == _elements((tmp_path / "plain.html").read_text("utf-8"))
    assert not UNSEEN.search(texts[".html"])


def test_a_shell_hands_the_very_words_of_a_printed_command_to_it(tmp_path):
    words = ["printf", "%s\\0", *(name for name in NAMES if "\0" not in name)]
    commands = [command_lines(words, "", width) for width in (40, 110)]

    for lines in commands:
        shell = ["bash", "-c", "\n".join(lines).encode("utf-8")]
        printed = subprocess.run(shell, capture_output=True, check=True, cwd=tmp_path).stdout
        assert printed.decode("utf-8", "surrogateescape").split("\0")[:-1] == words[2:]
        assert not UNSEEN.search("\n".join(lines))
    assert not list(tmp_path.iterdir())


def _elements(page):
    found = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, tuple(sorted(name for name, _ in attributes))))

    Tags().feed(page)
    return {
        one
        for one in found
        if one[0] in {"script", "img", "iframe", "object", "link", "style"}
        or any(name.startswith("on") for name in one[1])
    }
