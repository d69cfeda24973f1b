"""What is fed with hostile input, and which: each reader with its strategy."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from tests.reliability import commands, reading, samples, stored
from tests.reliability.fuzz import Reader
from tests.reliability.inputs import altered_json, as_bytes, json_like, mutated, pieces


def _damaged(document: Any) -> st.SearchStrategy[bytes]:
    return mutated(json.dumps(document).encode())


_ARRAYS = samples.dtyped()
READERS = (
    Reader("address", samples.ADDRESS, reading.feed_address),
    Reader(
        "model",
        st.tuples(
            st.sampled_from(("", "timm:", "torchvision:", "vectors:", "features:", "onnx:")), samples.ADDRESS
        ).map("".join),
        reading.feed_model,
        weight=1,
    ),
    Reader(
        "method",
        pieces(
            "linear_probe",
            "knn",
            "few_shot",
            "logme",
            "nleep",
            "(",
            ")",
            "k=",
            "shots=",
            "protocol='",
            "'",
            "1",
            "-1",
            ",",
            "(k=5)",
        ),
        reading.feed_method,
    ),
    Reader(
        "study",
        st.one_of(
            mutated(samples.TOML),
            st.lists(samples.LINE, max_size=5).map(lambda lines: "\n".join(["tasks=['a']", *lines]).encode()),
        ),
        reading.feed_study,
    ),
    Reader(
        "table",
        st.tuples(
            st.one_of(
                mutated(samples.CSV.encode(), samples.SCORES.encode(), samples.LINES, samples.FASTTEXT),
                as_bytes(
                    pieces(
                        "text",
                        "label",
                        ",",
                        "\n",
                        "\t",
                        '"',
                        "a,b\n",
                        "\n",
                        "good",
                        "1",
                        "2.5",
                        "[1, 2]",
                        "yes",
                    )
                ),
                json_like("text", "label", "split", "columns", "data", "0", "1", "index"),
                altered_json(samples.ROWS),
                altered_json({"columns": ["text", "label"], "data": [["a", 1], ["b", 0]] * 4}),
            ),
            st.sampled_from((".csv", ".tsv", ".json", ".jsonl", ".txt", ".csv.gz", ".tab")),
        ),
        reading.feed_table,
    ),
    Reader("parquet", st.tuples(mutated(samples.PARQUET), st.just(".parquet")), reading.feed_table),
    Reader(
        "matrix",
        st.tuples(
            st.one_of(
                mutated(samples.MATRIX, samples.LONG, json.dumps(samples.GRID).encode()),
                as_bytes(
                    pieces("model", "task", "value", ",", "\n", "a", "b", "0.5", "61%", "inf", "\na,1,2")
                ),
                json_like(
                    "food",
                    "a",
                    "b",
                    "table",
                    "orientation",
                    "model",
                    "task",
                    "value",
                    values=("task->model", 0.5),
                ),
                altered_json(samples.GRID),
                altered_json({"table": samples.GRID, "orientation": "task->model"}),
            ),
            st.sampled_from((".csv", ".json", ".tsv", ".jsonl")),
        ),
        reading.feed_matrix,
    ),
    Reader(
        "vectors",
        st.one_of(
            mutated(*samples.VECTORS),
            as_bytes(pieces("the", " ", "\n", "0.1", "2 3\n", "-1", "1e9 ")),
        ),
        reading.feed_vectors,
    ),
    Reader(
        "npz",
        st.one_of(mutated(samples.NPZ, samples.PACKED, samples.NPY), _ARRAYS, _ARRAYS),
        reading.feed_arrays,
    ),
    Reader(
        "features",
        st.one_of(
            st.tuples(st.one_of(mutated(samples.NAMED, samples.NPZ), samples.dtyped()), st.just(".npz")),
            st.tuples(mutated(samples.NAMED_ROWS), st.just(".parquet")),
        ),
        reading.feed_features,
    ),
    Reader(
        "conll",
        st.tuples(
            st.one_of(
                mutated(samples.CONLL, samples.CONLLU),
                as_bytes(
                    pieces(
                        "Ada",
                        " ",
                        "\t",
                        "\n",
                        "\n\n",
                        "B-PER",
                        "O",
                        "I-LOC",
                        "# text = x\n",
                        "1",
                        "1-2",
                        "-DOCSTART- O\n\n",
                    )
                ),
            ),
            st.sampled_from((".conll", ".conllu", ".txt", ".iob")),
        ),
        reading.feed_conll,
    ),
    Reader(
        "coco",
        st.one_of(
            mutated(json.dumps(samples.COCO).encode()),
            altered_json(samples.COCO),
            json_like(
                "images", "annotations", "categories", "id", "file_name", "image_id", "category_id", "name"
            ),
        ),
        reading.feed_coco,
    ),
    Reader(
        "yolo",
        st.tuples(
            st.one_of(
                mutated(b"0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n"),
                as_bytes(pieces("0", "1", " ", "\n", "0.5", "-1", "7")),
            ),
            st.one_of(
                mutated(b"cat\ndog", b"names:\n  0: cat\n  1: dog\npath: .\n", b"names: [cat, dog]\nnc: 2\n"),
                as_bytes(
                    pieces(
                        "names",
                        ":",
                        "\n",
                        "[",
                        "]",
                        "- ",
                        "&a ",
                        "*a",
                        "!!python/object/apply:os.system ",
                        "cat",
                        "0",
                        "  ",
                    )
                ),
            ),
            st.sampled_from(("classes.txt", "data.yaml")),
        ),
        reading.feed_yolo,
    ),
    Reader(
        "image",
        st.tuples(
            mutated(samples.PNGS[0], samples.WIDE, samples.TIFF, samples.GIF, samples.JPEG, samples.WEBP),
            st.sampled_from((".png", ".tif", ".gif", ".jpg", ".webp", ".tga", ".jp2", ".ppm", ".pfm")),
        ),
        reading.feed_image,
    ),
    Reader(
        "saved",
        st.one_of(
            altered_json(samples.SAVED),
            _damaged(samples.SAVED),
            json_like(*samples.SAVED),
        ),
        reading.feed_settings,
    ),
    Reader(
        "history",
        st.one_of(
            altered_json(samples.PAST),
            altered_json([samples.PAST, samples.PAST]),
            _damaged(samples.PAST),
            json_like(*samples.PAST),
        ),
        reading.feed_history,
    ),
    Reader(
        "search",
        st.one_of(json_like("finished", "screened", "bound", "curve", "tasks"), mutated(b'{"a": 1.5}')),
        reading.feed_search,
    ),
    Reader("stored", mutated(samples.NPY), reading.feed_stored),
    Reader("cells", stored.changed_cells(), stored.feed_cells, weight=1),
    Reader("store", st.deferred(stored.changed_files), stored.feed_file, weight=1),
    Reader("pack", st.deferred(stored.changed_packs), stored.feed_pack, weight=1),
    Reader("simulate", commands.simulations, commands.feed_simulation, weight=1),
    Reader("agreement", commands.agreements, commands.feed_agreement, weight=1),
    Reader("add", commands.additions, commands.feed_addition, weight=1),
    Reader("score", commands.archives, commands.feed_archives, weight=1),
    Reader("compare", commands.comparisons, commands.feed_comparison, weight=1),
)
