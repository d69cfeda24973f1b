"""Counts the weights of every model of timm without memory: src/assay/models/timm/parameters.tsv.

    python benchmarks/parameters.py    # counts what the table lacks; some minutes from nothing

Weights that share an architecture, the classes of their head and their input have as many parameters; one of
them is built.
"""

from __future__ import annotations

import warnings
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "src" / "assay" / "models" / "timm" / "parameters.tsv"


def main() -> None:
    import timm
    from timm.models import get_pretrained_cfg

    from assay.models.timm import TimmSource

    warnings.simplefilter("ignore")
    listed = {*timm.list_models(), *timm.list_models(pretrained=True)}
    lines = TABLE.read_text("utf-8").splitlines() if TABLE.is_file() else []
    counted = {name: int(count) for name, count in (line.split("\t") for line in lines) if name in listed}
    alike = {}
    for name in sorted(listed, key=lambda name: (name not in counted, name)):
        config = get_pretrained_cfg(name)
        kind = (name.partition(".")[0], config and (config.num_classes, config.input_size, config.notes))
        if name not in counted:
            counted[name] = alike.get(kind) or TimmSource(name, pretrained=False).counted()
        alike[kind] = counted[name]
    TABLE.write_text("".join(f"{name}\t{counted[name]}\n" for name in sorted(counted)), "utf-8")


if __name__ == "__main__":
    main()
