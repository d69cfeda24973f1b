"""What commands print shows control characters, and says first which code a study file brings."""

import ast
import io
import logging
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

import assay.cli
from assay.cli.commands import run
from assay.cli.printing import escape_log, say, say_fitted
from assay.core.escaping import command, quoted, shown
from assay.reports.terminal.console import console


def test_a_line_shows_what_a_terminal_would_obey(capsys):
    say("a\x1b[2Jb\x07\r\x9b31m gpj.\u202eexe caf\udce9 \U000e0041 two\nlines 模型 שלום ‍e\u0301")

    printed = capsys.readouterr().out
    assert printed == (
        "a\\x1b[2Jb\\x07\\x0d\\u009b31m gpj.\\u202eexe caf\\xe9 \\U000e0041 two\nlines 模型 שלום ‍e\u0301\n"
    )
    assert shown(printed) == printed


def test_a_text_wraps_to_columns_and_is_one_line_in_a_pipe(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    say_fitted("  knn  the nearest\x1b neighbours of an example", indent=7)
    monkeypatch.setenv("COLUMNS", "24")
    say_fitted("  knn  the nearest\x1b neighbours of an example", indent=7)

    assert capsys.readouterr().out.splitlines() == [
        "  knn  the nearest\\x1b neighbours of an example",
        "  knn  the nearest\\x1b",
        "       neighbours of an",
        "       example",
    ]


def test_a_console_escapes_names_and_keeps_its_own_styles():
    file = io.StringIO()
    table = Table("model")
    table.add_row(Text("evil\x1b[2J\u202e", style="bold"))

    terminal = console(file, force_terminal=True, width=60, color_system="standard")
    terminal.print(table)
    terminal.print("a\x1b]0;title\x9c", style="bold", highlight=False)

    assert r"evil\x1b[2J\u202e" in file.getvalue()
    assert r"a\x1b]0;title\u009c" in file.getvalue()
    assert "\x1b[1m" in file.getvalue()
    assert "\x1b[2J" not in file.getvalue()


@pytest.mark.parametrize("name", ["folder:cat: images", "folder:./[red]: images", "folder:[/]x"])
def test_names_are_shown_as_they_are(name):
    file = io.StringIO()
    styled = console(file, width=60)
    table = Table(box=None)
    table.add_column(name)
    table.add_row(name)

    styled.print(name)
    styled.print(name, highlight=False)
    styled.print(table)

    assert file.getvalue().count(name) == 4


def test_a_message_of_the_log_is_escaped(capsys):
    escape_log()
    record = logging.LogRecord("assay", logging.WARNING, "", 0, "no '%s'", ("x\x1b[2J",), None)

    try:
        logging.lastResort.handle(record)
    finally:
        for one in [*logging.lastResort.filters]:
            logging.lastResort.removeFilter(one)

    assert capsys.readouterr().err == "no 'x\\x1b[2J'\n"


def test_a_command_in_a_sentence_runs_nothing_else():
    assert command("assay", "fetch", "timm:a") == "'assay fetch timm:a'"
    assert command("assay", "fetch", "a$(touch b)") == "assay fetch 'a$(touch b)'"
    assert quoted("t:x(label='a')") == "\"t:x(label='a')\""
    assert quoted("t:x(label='$(a)')") == "'t:x(label='\"'\"'$(a)'\"'\"')'"


@pytest.mark.parametrize(
    ("store", "is_said"), [("study.assay", False), ("deep/er", False), ("../else", True), (None, False)]
)
def test_a_study_file_says_which_code_it_runs_and_where_else_it_writes(store, is_said, tmp_path, capsys):
    study = tmp_path / "studies" / "study.toml"

    run._announce(study, ["my\x1bscore.py"], store and study.parent / store)

    printed = capsys.readouterr().err
    assert f"{study} runs the code of the plug-in '{Path.cwd() / 'my'}\\x1bscore.py'." in printed
    assert ("outside its folder" in printed) is is_said


def test_commands_print_only_what_is_escaped():
    folder = Path(assay.cli.__file__).parent
    calls = {
        f"{path.name}: {node.func.id}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"print", "Console"}
    }

    assert calls == {"printing.py: print"}
