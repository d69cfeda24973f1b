"""Former names of options, which are still accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_TABLE = {"--matrix": "--method"}
RENAMED: Mapping[str, Mapping[str, str]] = {
    "across": _TABLE,
    "agreement": {"--score": "--method", "--by-task": "--details"},
    "cache": {"--max-size": "--cache-size"},
    "export": {"--ranked-by": "--method"},
    "measure": {"--models": "--model"},
    "predict": {"--output": "--out", "--json": "--jsonl"},
    "rank": {
        "--models": "--model",
        "--methods": "--method",
        "--report": "--html",
        "--no-random-floor": "--no-control",
    },
    "report": {"--ranked-by": "--method"},
    "run": {"--report": "--html"},
    "save": {"--to": "--out"},
    "score": {"--scores": "--method", "-s": "--method", "--out": "--json"},
    "simulate": {**_TABLE, "--tolerance": "--margin"},
    "submit": {"--to": "--out"},
}


def current_spelling(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return arguments with options as they are called now, and a note for each former spelling.

    >>> current_spelling(["cache", "assay-store", "--max-size=1GB"])
    (['cache', 'assay-store', '--cache-size=1GB'], ['--max-size is called --cache-size now.'])
    """
    renamed = RENAMED.get(arguments[0], {}) if arguments else {}
    end = arguments.index("--") if "--" in arguments else len(arguments)
    current, notes = list(arguments), []
    for number, argument in enumerate(arguments[:end]):
        option, equals, value = argument.partition("=")
        if option in renamed:
            current[number] = f"{renamed[option]}{equals}{value}"
            notes.append(f"{option} is called {renamed[option]} now.")
    return current, list(dict.fromkeys(notes))
