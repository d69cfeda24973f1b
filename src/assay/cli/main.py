"""The command ``assay``: one file in ``commands/`` is one subcommand."""

from __future__ import annotations

import importlib
import io
import os
import pkgutil
import sys
from importlib import metadata

import typer

import assay.cli.commands
from assay.cli import completion
from assay.cli.printing import escape_log, say
from assay.cli.renamed_options import current_spelling
from assay.cli.signals import ending_in_order
from assay.core.errors import AssayError, UsageError

app = typer.Typer(
    name="assay",
    help="Which pretrained model fits my tasks, how sure is that, and what does it cost?",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _start(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if version:
        say(f"assay {metadata.version('model-assay')}")
        raise typer.Exit


def _add_commands() -> None:
    for module in pkgutil.iter_modules(assay.cli.commands.__path__):
        command = importlib.import_module(f"assay.cli.commands.{module.name}")
        app.command(name=module.name, epilog=command.EXAMPLES)(command.command)


_add_commands()


def main() -> None:
    """Run the command line; user errors print one message instead of a traceback."""
    # spinning OpenMP threads of a forward pass make a busy machine ten times slower
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # for terminals that cannot show our symbols
    escape_log()
    arguments, notes = current_spelling(sys.argv[1:])
    for note in notes:
        say(f"assay: {note}", file=sys.stderr)
    try:
        with completion.whole_words(os.environ), ending_in_order():
            app(args=arguments, prog_name="assay")
    except UsageError as error:
        _stop(str(error), code=2)
    except AssayError as error:
        _stop(str(error), code=1)


def _stop(message: str, *, code: int) -> None:
    say(f"assay: {message}", file=sys.stderr)
    sys.exit(code)
