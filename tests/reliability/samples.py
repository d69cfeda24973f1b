"""Valid files of every format, and words of addresses and studies, from which hostile input is made."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet
from tests.reliability.inputs import pieces


def saved(array_of: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    array_of(buffer)
    return buffer.getvalue()


PNGS = [saved(partial(Image.new("RGB", (8, 8), (40 * row, 5, 5)).save, format="PNG")) for row in range(6)]
WIDE = saved(lambda buffer: Image.new("I;16", (8, 8), 3000).save(buffer, "PNG"))
TIFF = saved(lambda buffer: Image.new("F", (8, 8), 0.5).save(buffer, "TIFF"))
GIF = saved(lambda buffer: Image.new("P", (8, 8), 3).save(buffer, "GIF"))
JPEG = saved(lambda buffer: Image.new("RGB", (16, 16), (9, 99, 9)).save(buffer, "JPEG"))
WEBP = saved(lambda buffer: Image.new("RGB", (16, 16), (9, 99, 9)).save(buffer, "WEBP"))

CSV = "\n".join(
    ["text,label", *(f"a text of number {row},{'good' if row % 2 else 'bad'}" for row in range(12))]
)
SCORES = "\n".join(
    ["text\tscore\tlang", *(f'"number {row}"\t{row / 7}\t{"en" if row % 2 else "de"}' for row in range(12))]
)
ROWS = [{"text": f"a text {row}", "label": row % 2, "meta": {"lang": "en"}} for row in range(12)]
LINES = "\n".join(map(json.dumps, ROWS)).encode()
FASTTEXT = "\n".join(f"__label__{row % 2} some text {row}" for row in range(12)).encode()
PARQUET = saved(lambda buffer: parquet.write_table(pa.Table.from_pylist(ROWS), buffer))

MATRIX = b"model,food,birds\ntimm:a,0.5,61%\ntimm:b,0.25,n/a\ntimm:c,out of memory,3"
LONG = b"model,task,value,seed\na,x,0.5,0\nb,x,0.25,0\na,y,1,0\nb,y,2,1"
GRID = {"food": {"a": 0.5, "b": 0.25}, "birds": {"a": 1, "b": None}}

X, Y = np.arange(24.0).reshape(8, 3) % 5, np.arange(8) % 2
NPZ = saved(lambda buffer: np.savez(buffer, features=X, labels=Y, source_probs=np.full((8, 2), 0.5)))
PACKED = saved(lambda buffer: np.savez_compressed(buffer, features=X, labels=Y))
NAMED = saved(lambda buffer: np.savez(buffer, features=X, names=np.array(list("abcdefgh"))))
NAMED_ROWS = saved(
    lambda buffer: parquet.write_table(pa.table({"name": list("ab"), "x": [1.0, 2.0], "y": [3, 4]}), buffer)
)
ONES = np.ones(2, "<f4").tobytes()
VECTORS = (
    b"the 0.1 0.2 0.3\ncat 1 2 3\nof it -1 2e3 0\n",
    b"2 3\nthe 0.1 0.2 0.3\ncat 1 2 3\n",
    b"2 2\nthe " + ONES + b"cat " + ONES,
)
NPY = saved(lambda buffer: np.save(buffer, X))


def dtyped() -> st.SearchStrategy[bytes]:
    """Files of arrays of any type and shape."""
    types = st.sampled_from(
        ("f2", "f4", "f8", "i1", "i8", "u8", "?", "U3", "S3", "c16", "M8[s]", "m8[D]", "f8,i4", "O")
    )
    shapes = st.sampled_from(((), (0,), (8,), (1, 8), (8, 1), (8, 3), (8, 0), (0, 3), (8, 2, 2), (4, 3)))
    fills = st.sampled_from((0, 1, -1, 2, 1e308, float("nan"), float("inf"), -1e-320))
    arrays = st.builds(_filled, types, shapes, fills)
    names = st.sampled_from(("features", "labels", "source_probs", "random_features", "odd"))
    return st.dictionaries(names, arrays, max_size=4).map(
        lambda some: saved(
            lambda buffer: np.savez(buffer, allow_pickle=True, **({"features": X, "labels": Y} | some))
        )
    )


def _filled(kind: str, shape: tuple[int, ...], fill: float) -> np.ndarray:
    array = np.zeros(shape, kind)
    try:
        with np.errstate(all="ignore"):
            array[...] = fill
        if array.size:
            array.reshape(-1)[0] = 1
    except (TypeError, ValueError, OverflowError):
        pass
    return array


CONLL = (
    b"-DOCSTART- -X- O O\n\nAda NNP I-NP B-PER\nsings VB O O\n\nShe PRP O O\n\nBerlin NNP O B-LOC\n\n"
    b"yes UH O O\n\nno UH O O\n"
)
CONLLU = (
    b"# text = Ada sings\n1\tAda\tAda\tPROPN\t_\t_\t0\t_\t_\t_\n2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
    b"2\tsings\tsing\tVERB\t_\t_\t1\t_\t_\t_\n\n1\tno\t_\tINTJ\t_\t_\t0\t_\t_\t_\n\n"
    b"1\ta\t_\tDET\t_\t_\t0\t_\t_\t_\n"
)
COCO = {
    "images": [{"id": row, "file_name": f"{row}.png"} for row in range(6)],
    "annotations": [{"image_id": row, "category_id": row % 2, "bbox": [0, 0, 1, 1]} for row in range(6)],
    "categories": [{"id": 0, "name": "cat", "supercategory": "pet"}, {"id": 1, "name": "dog"}],
}
SAVED = {
    "model": "timm:resnet18",
    "task": "folder:x",
    "method": "linear_probe",
    "kind": "classification",
    "modality": "image",
    "classes": ["a", "b"],
    "present": [0, 1],
    "shape": [],
    "are_logits": True,
    "metrics": {"accuracy": 0.5},
    "tuned": {"c": 1.0},
    "assay": "0.2",
    "columns": [],
    "files": {},
    "code": [],
    "identity": "",
    "pixel_ranges": {},
    "full_scale": 1.0,
    "fingerprint": "",
    "weights": "",
}
PAST = {
    "name": "mine",
    "title": "a table",
    "modality": "image",
    "source": "here",
    "licence": "mit",
    "date": "2024-05-13",
    "metrics": {"food": "accuracy"},
    "groups": {},
    "orientation": "task->model",
    "table": {"food": {"a": 0.5, "b": 0.25}},
}
TOML = (
    b"tasks = ['folder:x', 'table:y.csv(label=\"a\")']\nmodels = ['timm:resnet18']\nseed = 3\n"
    b"max_latency = '20ms'\nbudget = '2h'\nmargin = 0.1\nplugins = ['x.py']\n"
)
FIELDS = (
    "tasks",
    "models",
    "methods",
    "store",
    "seed",
    "seeds",
    "engine",
    "random_floor",
    "device",
    "batch_size",
    "ranked_by",
    "max_parameters",
    "max_latency",
    "licences",
    "cache_size",
    "margin",
    "cheap_by",
    "download",
    "plugins",
    "budget",
    "total_budget",
    "tolerance",
    "max_models",
    "max_download",
    "exclude_contaminated",
)
VALUES = (
    "1",
    "-1",
    "0",
    "0.5",
    "nan",
    "inf",
    "-inf",
    "true",
    "''",
    "'25M'",
    "'20ms'",
    "'2h'",
    "'50models'",
    "'0.5pt'",
    "'10GB'",
    "[]",
    "['a']",
    "[1]",
    "[['a']]",
    "{}",
    "{a=1}",
    "1979-05-27",
    "9999999999999999999999",
    "'isolated(workers=0)'",
    "'macs'",
    "'\\u0000'",
    "'-5M'",
    "'1e400'",
    "'٣'",
)
LINE = st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES)).map(" = ".join)
NAMES = (
    "timm:",
    "torch:",
    "hf:",
    "keras:",
    "onnx:",
    "features:",
    "vectors:",
    "openclip:",
    "sentence:",
    "torchvision:",
)
ADDRESS = pieces(
    *NAMES,
    "resnet18",
    "(",
    ")",
    "=",
    ",",
    "'",
    "label",
    "pretrained",
    "False",
    "1",
    "*",
    "()",
    "(a=1)",
    "name",
    "[",
    "{",
    ": ",
    "layer=",
    "alias=",
    "checkpoint=",
    "as=",
)
