"""The files of GLUE as they are distributed, with few rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

TRAIN, DEV, TEST = 40, 12, 9
FIRST = 1000  # the number in the texts of the first example of test, which the files count from 0

# the first lines of the files as they are distributed, and what makes a row of them
FORMATS: dict[str, tuple[str, str, Callable[[int], Sequence[object]]]] = {
    "cola": ("CoLA", "", lambda n: ("gj04", n % 2, "*" if n % 2 else "", f"A sentence, number {n}.")),
    "sst2": ("SST-2", "sentence\tlabel", lambda n: (f'a "fine film of {n} hours ', n % 2)),
    "mrpc": (
        "MRPC",
        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
        lambda n: (n % 2, n, n + 1, f'He said: "It is {n}.', f"It is {n}, he said."),
    ),
    "stsb": (
        "STS-B",
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore",
        lambda n: (
            n, "main-captions", "MSRvid", "2012test", n, "none", "none", f"Plane {n}.", f"A plane {n}.",
            f"{n % 11 / 2:.3f}",
        ),
    ),
    "qqp": (
        "QQP",
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
        lambda n: (n, n, n + 1, f"How many is {n}?", f"Is {n} many?", n % 2),
    ),
    "qnli": (
        "QNLI",
        "index\tquestion\tsentence\tlabel",
        lambda n: (n, f"Who was {n}?", f"It was {n}.", ("entailment", "not_entailment")[n % 2]),
    ),
    "rte": (
        "RTE",
        "index\tsentence1\tsentence2\tlabel",
        lambda n: (n, f"No {n}.", f"Yes {n}.", ("entailment", "not_entailment")[n % 2]),
    ),
    "wnli": ("WNLI", "index\tsentence1\tsentence2\tlabel", lambda n: (n, f"It {n}.", f"The {n}.", n % 2)),
}  # fmt: skip
NLI = ("entailment", "neutral", "contradiction")
# the first lines of the test files, and the last column of the rows above that is not there
TEST_FORMATS: dict[str, tuple[str, Callable[[int], Sequence[object]]]] = {
    "cola": ("index\tsentence", lambda n: (n, f"A sentence, number {n}.")),
    "sst2": ("index\tsentence", lambda n: (n, f'a "fine film of {n} hours ')),
    "mrpc": ("index\t#1 ID\t#2 ID\t#1 String\t#2 String", lambda n: (n, *FORMATS["mrpc"][2](n)[1:])),
    "qqp": ("id\tquestion1\tquestion2", lambda n: (n, *FORMATS["qqp"][2](n)[3:5])),
    **{
        name: (FORMATS[name][1].rpartition("\t")[0], lambda n, name=name: FORMATS[name][2](n)[:-1])
        for name in ("stsb", "qnli", "rte", "wnli")
    },
}  # fmt: skip
PARSES = "sentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"


def _write(path: Path, header: str, rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = ["\t".join(str(cell) for cell in row) for row in rows]
    path.write_text("\n".join([header, *lines] if header else lines) + "\n", encoding="utf-8")


def mnli_row(number: int, labels: int) -> Sequence[object]:
    label = NLI[number % 3]
    texts = f"The fact {number}.", f"A claim {number}."
    return number, 1, f"{number}e", "fiction", "( )", "( )", "(ROOT)", "(ROOT)", *texts, *[label] * labels


def write_glue(place: Path) -> None:
    """Write all files of GLUE with labels, in their own formats, with few rows."""
    for name, header, row in FORMATS.values():
        _write(place / name / "train.tsv", header, [row(number) for number in range(TRAIN)])
        _write(place / name / "dev.tsv", header, [row(100 + number) for number in range(DEV)])
    head = f"index\tpromptID\tpairID\tgenre\t{PARSES}\tsentence1\tsentence2"
    folder = place / "MNLI"
    _write(folder / "train.tsv", f"{head}\tlabel1\tgold_label", [mnli_row(n, 2) for n in range(TRAIN)])
    five = "\t".join(f"label{number}" for number in range(1, 6))
    for name, start in (("matched", 100), ("mismatched", 200)):
        rows = [mnli_row(start + number, 6) for number in range(DEV)]
        _write(folder / f"dev_{name}.tsv", f"{head}\t{five}\tgold_label", rows)
    phenomena = "Lexical Semantics\tPredicate-Argument Structure\tLogic\tKnowledge\tDomain"
    head = f"{phenomena}\tPremise\tHypothesis\tLabel"
    rows = [("", "", "Negation", "", "", f"No {n}.", f"Not {n}.", NLI[n % 3]) for n in range(DEV)]
    _write(place / "diagnostic" / "diagnostic-full.tsv", head, rows)


def write_glue_test(place: Path) -> None:
    """Write the test files, without labels, in their own formats."""
    for name, (header, row) in TEST_FORMATS.items():
        _write(place / FORMATS[name][0] / "test.tsv", header, _counted(row))
    head = f"index\tpromptID\tpairID\tgenre\t{PARSES}\tsentence1\tsentence2"
    for name in ("matched", "mismatched"):
        _write(place / "MNLI" / f"test_{name}.tsv", head, _counted(lambda n: mnli_row(n, 0)))
    rows = _counted(lambda n: (n, f"No {n}.", f"Not {n}."))
    _write(place / "diagnostic" / "diagnostic.tsv", "index\tsentence1\tsentence2", rows)


def _counted(row: Callable[[int], Sequence[object]]) -> list[Sequence[object]]:
    return [(number, *row(FIRST + number)[1:]) for number in range(TEST)]
