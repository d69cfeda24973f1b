"""Make the history tables that come with Assay again, from the tables beside the project and `oracle/`.

    python benchmarks/history_tables.py --tables ../shared/tables

`history_tables.toml` says which. Numbers and names only, higher is better. Models get the address that Assay
opens them by, where there is one; others keep the name of the source. Of the sizes of images of timm the
smallest counts, at which models are opened, and of its eight test sets the mean: they rank models alike.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from assay.core.task import Modality
from assay.search.names import data_set_of
from assay.search.past.table import PastTable, content_of

HERE = Path(__file__).parent
OUT = HERE.parent / "src/assay/search/past/tables"
SAME = {  # data sets that sources call differently
    "aircraft": "fgvcaircraft",
    "clevr": "clevrcount clevrcountall clevrdist clevrclosestobjectdistance",
    "cub200": "cub2011",
    "diabeticretinopathy": "retinopathy diabeticretinopathydetection",
    "dsprites": "dsprloc dsprorient dspriteslabelorientation dspriteslabelxposition",
    "flowers": "flowers102",
    "imagenet": "imagenet1k imagenet1kunverified imageneta imagenetr imagenetsketch imagenetv2 objectnet",
    "kitti": "kittidist kitticlosestvehicledistance",
    "pcam": "camelyon",
    "pets": "oxfordpets pet",
    "smallnorb": "snorbazim snorbelev smallnorblabelazimuth smallnorblabelelevation",
    "stanfordcars": "cars",
    "voc2007": "voc2007multilabel",
}
FIRST = {other: name for name, others in SAME.items() for other in others.split()}
OTHER_METRICS = {
    "dSprites": "negative mean squared error",
    "UTKFace": "negative mean squared error",
    "voc2007_multilabel": "mean average precision",
}
PACKAGED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "all_minilm_l6_v2")


def torchvision(name: str) -> str:
    return f"torchvision:{name}.IMAGENET1K_V1"


def parc(name: str) -> str:
    architecture, _, source = name.partition("|")
    return torchvision(architecture) if source == "imagenet" else name


NAMES: dict[str, Callable[[str], str]] = {
    "timm": lambda name: f"timm:{name.partition('@')[0]}",
    "hub": lambda name: f"hf:{name}",
    "openclip": lambda name: f"openclip:{name.replace(' ', '.')}",
    "torchvision": torchvision,
    "parc": parc,
    "packaged": lambda name: f"packaged:{name}" if name in PACKAGED else name,
    "own": str,
}


def short(task: str) -> str:
    return re.sub(r"^vtab[/_]", "", task)


def data_set(task: str) -> str:
    """Return one name for a data set, however a source calls it."""
    plain = re.sub(r"[^a-z0-9]", "", short(data_set_of(task).lower()))
    return FIRST.get(plain, plain)


def image_side(name: str) -> int:
    side = name.rpartition("@")[2]
    return int(side) if side.isdecimal() else 0


def rows_of_json(table: Mapping[str, Mapping[str, float | None]]) -> dict[str, dict[str, float]]:
    named = {task if short(task) != task and short(task) in table else short(task): task for task in table}
    return {
        name: {
            model: value
            for model in sorted(table[task], key=image_side)
            if (value := table[task][model]) is not None
        }
        for name, task in named.items()
    }


def rows_of_oracle(file: Path) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["method"] == "linear_probe" and row["value"] and "random weights" not in row["model"]:
                rows.setdefault(row["task"], {})[row["model"]] = float(row["value"])
    return rows


def mean_of(rows: Mapping[str, Mapping[str, float]], task: str) -> dict[str, dict[str, float]]:
    """Return one task: the mean over all, of the models that have a value on each."""
    complete = set.intersection(*map(set, rows.values()))
    return {task: {model: sum(row[model] for row in rows.values()) / len(rows) for model in complete}}


def table(name: str, facts: Mapping[str, str], folder: Path) -> PastTable:
    if "oracle" in facts:
        rows = rows_of_oracle(HERE / "oracle" / facts["oracle"])
        source = f"benchmarks/oracle/{facts['oracle']}"
    else:
        content = json.loads((folder / f"{facts['file']}.json").read_text("utf-8"))
        rows = rows_of_json(content["table"])
        repository = content["source_repo"].replace("github:", "https://github.com/")
        source = f"{repository}/tree/{content['commit']} {content['source_path']}"
    values: dict[str, dict[str, float]] = {}
    for task, row in rows.items():
        for model, value in row.items():
            values.setdefault(task, {}).setdefault(NAMES[facts["names"]](model), float(value))
    if "mean" in facts:
        values = mean_of(values, facts["mean"])
    return PastTable(
        name=name,
        title=facts["title"],
        modality=Modality(facts.get("modality", "image")),
        source=source,
        licence=facts["licence"],
        date=facts["date"],
        metrics={task: OTHER_METRICS.get(task, facts.get("metric", "accuracy")) for task in values},
        groups={task: data_set(task) for task in values},
        values={
            task: {model: float(f"{value:.5g}") for model, value in sorted(row.items())}
            for task, row in values.items()
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("../shared/tables"))
    folder, total = parser.parse_args().tables, 0
    for name, facts in tomllib.loads((HERE / "history_tables.toml").read_text("utf-8")).items():
        one = table(name, facts, folder)
        text = json.dumps(content_of(one), ensure_ascii=False, separators=(",", ":"))
        packed = gzip.compress(text.encode(), mtime=0)
        (OUT / f"{name}.json.gz").write_bytes(packed)
        total += len(packed)
        print(f"{name:22}{len(one.values):4} tasks {len(one.models):5} models {len(packed) / 1000:6.1f} kB")
    print(f"{total / 1000:.0f} kB")


if __name__ == "__main__":
    main()
