"""Shorten exports of studies to the table that is kept here: names, numbers, intervals, what was tuned.

assay export /tmp/images.assay images.csv
python benchmarks/oracle/table.py images.csv benchmarks/oracle/images.csv

An export has intervals of the protocol that ranks alone: name one export for each, --method it.

assay agreement benchmarks/oracle/images.csv benchmarks/oracle/images.csv --truth linear_probe
"""

from __future__ import annotations

import re
import sys

import pandas as pd

_KEPT = ["model", "task", "method", "seeds", "status", "reason"]
_NUMBERS = ["value", "interval_low", "interval_high", "seconds"]
_TUNED = ["tuned_learning_rate", "tuned_layer_decay", "tuned_keeps_statistics", "tuned_epoch"]


def model_name(address: str) -> str:
    """Return the name of the weights in an address."""
    weights = re.search(r"weights/([^/]+)/|arguments=\('([^']+)'", address)
    name = (weights[1] or weights[2]) if weights else address.partition(":")[2].partition("(")[0]
    return f"{name} (random weights)" if "pretrained=False" in address else name


def task_name(address: str) -> str:
    """Return the name of the data set in an address."""
    found = re.search(r"datasets/([^/()]+)", address)
    return found[1] if found else address


def main() -> None:
    """Write the short table."""
    *sources, out = sys.argv[1:]
    table = pd.concat(map(pd.read_csv, sources)).sort_values("interval_low", kind="stable")  # NaN comes last
    table = table.drop_duplicates(["model", "task", "method"])
    table["model"], table["task"] = table["model"].map(model_name), table["task"].map(task_name)
    table = table[table.model.isin(table.model[table.method == "linear_probe"])]  # others were not come to
    kept = [
        column for column in [*_KEPT, *_NUMBERS, *_TUNED] if column in table and table[column].notna().any()
    ]
    table = table[kept].sort_values(["method", "task", "model"])
    table.to_csv(out, index=False, float_format="%.5g")
    print(f"{len(table)} rows: {table.model.nunique()} models, {table.task.nunique()} tasks -> {out}")


if __name__ == "__main__":
    main()
