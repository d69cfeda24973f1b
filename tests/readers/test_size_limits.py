"""Small files that hold, or claim, far more than they should are refused before memory or disk is taken."""

import gzip
import json
import struct
import zipfile
import zlib
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from assay.actions.saved_folder import SETTINGS, read_settings
from assay.cli.score_files import read_arrays
from assay.core.errors import AssayError, UsageError
from assay.models.features.lookup import read_features
from assay.models.vectors.vector_files import read_header
from assay.readers.files import FolderFiles, UnreadableFileError
from assay.readers.images import StoredImages
from assay.run.past_tables import PastReading, past_tables_of
from assay.tables.matrices import read_matrices
from assay.tasks.audio import Audio
from assay.tasks.coco import Coco
from assay.tasks.table import Table


def read_score(path):
    return read_arrays(path, "labels", kind=None, sample=None)


def read_table(path):
    return Table(str(path)).load("table:it", 0)


def npz(path, content):
    """Write a file whose array of features is these bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", content)
        archive.writestr("labels.npy", content)
    return path


def npy_header(shape):
    header = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setenv("ASSAY_MAX_BYTES", "1MB")


@pytest.mark.parametrize("read", [read_score, read_features])
def test_arrays_that_unpack_to_much_more_than_their_file_are_refused(read, tmp_path, small_limit):
    rows = np.zeros((1000, 200))
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, features=rows, labels=rows)

    with pytest.raises(UsageError, match=r"to 3,200,\d+, and the limit is 1,000,000.*ASSAY_MAX_BYTES=20GB"):
        read(path)


@pytest.mark.parametrize("read", [read_score, read_features])
@pytest.mark.parametrize("shape", [(2**49, 8), (2**62, 2**62), (-1, 4), (10**30,)])
def test_a_header_that_claims_more_than_is_there_takes_no_memory(read, shape, tmp_path):
    path = npz(tmp_path / "arrays.npz", npy_header(shape) + b"\0" * 64)

    with pytest.raises(AssayError, match=r"claims|shape|header|negative"):
        read(path)


def test_a_png_of_13000_by_13000_is_not_decoded_unless_the_user_says_so(tmp_path, monkeypatch):
    Image.new("1", (40, 30)).save(tmp_path / "large.png")
    small = (tmp_path / "large.png").read_bytes()
    header = b"IHDR" + struct.pack(">II", 13_000, 13_000) + small[24:29]
    (tmp_path / "large.png").write_bytes(
        small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    )
    images = StoredImages(FolderFiles(tmp_path, ("large.png",)))

    with pytest.raises(UnreadableFileError, match="13000 x 13000 pixels, limit 100,000,000: ASSAY_MAX"):
        images.look(0)

    (tmp_path / "large.png").write_bytes(small)
    monkeypatch.setenv("ASSAY_MAX_PIXELS", "1000")
    with pytest.raises(UnreadableFileError, match="40 x 30 pixels"):
        images.read(0)
    monkeypatch.setenv("ASSAY_MAX_PIXELS", "2k")
    assert images.read(0).shape == (30, 40, 3)


def test_a_table_of_a_million_columns_is_refused(tmp_path, monkeypatch):
    wide = tmp_path / "wide.csv"
    wide.write_text(f"text,label{',a' * 10**6}\n")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({f"c{column}": 1 for column in range(12)}) + "\n")
    columns = tmp_path / "columns.parquet"
    parquet.write_table(pa.table({f"c{column}": [1] for column in range(12)}), columns)

    with pytest.raises(UsageError, match=r"wide.csv is not read: it has 1,000,002 columns, and .* 50,000"):
        read_table(wide)

    monkeypatch.setenv("ASSAY_MAX_COLUMNS", "10")
    for path in (rows, columns):
        with pytest.raises(UsageError, match="12 columns, and the limit is 10"):
            read_table(path)


def test_columns_of_one_name_are_numbered_in_their_order(tmp_path):
    path = tmp_path / "same.csv"
    path.write_text("text,a,a,a.2,a,label\n" + "".join(f"t{row},1,2,3,4,{row % 2}\n" for row in range(12)))

    notes = "; ".join(Table(str(path), text="text", label="label").load("t", 0).notes)

    assert "'a.3'" in notes
    assert "'a.4'" in notes


@pytest.mark.parametrize("suffix", ["csv.gz", "csv.zip", "csv.xz", "csv.bz2"])
def test_a_compressed_table_is_unpacked_up_to_the_limit(suffix, tmp_path, small_limit, monkeypatch):
    import bz2
    import lzma

    content = b"text,label\n" + b"one and the same text,good\n" * 60_000
    path = tmp_path / f"bomb.{suffix}"
    pack = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}.get(suffix[4:])
    if pack is None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("table.csv", content)
    else:
        path.write_bytes(pack(content))

    with pytest.raises(UsageError, match="unpack to more than 1,000,000, and the limit is 1,000,000"):
        read_table(path)


def test_a_parquet_file_that_claims_many_rows_is_refused(tmp_path, small_limit):
    path = tmp_path / "many.parquet"
    parquet.write_table(pa.table({"text": ["same"] * 1_100_000, "label": ["a"] * 1_100_000}), path)

    with pytest.raises(UsageError, match="unpack to 1,100,000, and the limit is 1,000,000"):
        read_table(path)


def test_a_dictionary_of_long_texts_does_not_fill_the_disk(tmp_path, small_limit):
    path = tmp_path / "long.parquet"
    parquet.write_table(pa.table({"text": ["x" * 10_000] * 1000, "label": ["a", "b"] * 500}), path)

    with pytest.raises(UsageError, match=r"is not read( on)?: .* limit is 1,000,000"):
        read_table(path)


def test_a_workbook_that_unpacks_to_much_or_has_cells_far_apart_is_refused(tmp_path, small_limit):
    cells = "".join(f'<c r="{place}"><v>1</v></c>' for place in ("A1", "XFD900"))
    sheet = f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>"
    for name, content in {"far": sheet, "much": f"{sheet}{' ' * 1_100_000}"}.items():
        with zipfile.ZipFile(tmp_path / f"{name}.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
            book.writestr("xl/worksheets/sheet1.xml", content)

        with pytest.raises(UsageError, match=r"unpack to [\d,]+, and the limit is 1,000,000"):
            read_table(tmp_path / f"{name}.xlsx")


def test_a_sound_of_silence_is_not_decoded_beyond_the_limit(tmp_path, small_limit):
    soundfile = pytest.importorskip("soundfile")
    for kind in "ab":
        (tmp_path / kind).mkdir()
        soundfile.write(tmp_path / kind / "long.flac", np.zeros(400_000), 8000)

    with pytest.raises(UsageError, match="unpack to 1,600,000, and the limit is 1,000,000"):
        Audio(str(tmp_path)).load("audio:it", 0)


def test_compressed_word_vectors_are_read_up_to_the_limit(tmp_path, small_limit):
    path = tmp_path / "words.txt.gz"
    path.write_bytes(gzip.compress(b"a" * 3_000_000))

    with pytest.raises(AssayError, match="unpack to more than 1,000,000"):
        read_header_and_rows(path)


def read_header_and_rows(path):
    from assay.models.vectors.vector_files import Header, read_rows

    read_header_error = None
    try:
        read_header(path)
    except AssayError as error:
        read_header_error = error
    assert read_header_error is not None
    return list(read_rows(path, Header(None, 1, False), None))


@pytest.mark.parametrize("depth", [90, 400, 990, 50_000])
@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_table, "it.json"),
        (read_table, "it.jsonl"),
        (read_matrices, "it.json"),
        (lambda path: Coco(str(path)).load("coco:it", 0), "it.json"),
        (lambda path: past_tables_of(path, PastReading()), "it.json"),
        (lambda path: read_settings(path.parent), SETTINGS),
    ],
)
def test_json_that_is_nested_deeply_is_at_most_an_error_of_the_file(read, name, depth, tmp_path):
    path = tmp_path / name
    for opening, closing in (('{"a":', "}"), ("[", "]"), ('[{"a":', "}]"), ('{"a":[', "]}")):
        path.write_text(f"{opening * depth}1{closing * depth}")

        with suppress(UsageError):
            read(path)


def test_a_cell_of_json_that_is_nested_deeply_is_a_text(tmp_path):
    path = tmp_path / "cells.csv"
    deep = "[" * 50_000 + "]" * 50_000
    path.write_text(
        "text,label\n" + "".join(f"{deep if row == 3 else row} t,{'ab'[row % 2]}\n" for row in range(12))
    )

    assert len(read_table(path).test) > 0


@pytest.mark.framework
def test_a_safetensors_header_that_claims_more_than_is_there_is_refused(tmp_path):
    from assay.core.errors import CheckpointError
    from assay.encoders.weights import load_state

    path = tmp_path / "weights.safetensors"
    for length in (2**63, 2**40, 99_000_000):
        path.write_bytes(
            struct.pack("<Q", length) + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        )
        with pytest.raises(CheckpointError):
            load_state(path)
    header = b'{"a":{"dtype":"F32","shape":[1125899906842624],"data_offsets":[0,4503599627370496]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(CheckpointError):
        load_state(path)


@pytest.mark.framework
def test_onnx_weights_outside_the_folder_of_their_graph_are_not_read(tmp_path):
    onnx = pytest.importorskip("onnx")
    from assay.core.errors import ModelError
    from assay.models.onnx.graph import OnnxGraph

    (tmp_path / "inside").mkdir()
    (tmp_path / "secret").write_bytes(b"\0" * 16)
    tensor = onnx.TensorProto(name="w", dims=[4], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../secret")
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    ports = [onnx.helper.make_tensor_value_info(name, 1, [4]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", ports[:1], ports[1:], initializer=[tensor])
    path = tmp_path / "inside" / "net.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())

    with pytest.raises(ModelError, match="outside its folder"):
        OnnxGraph(path)


def test_a_limit_that_cannot_be_read_is_an_error_of_the_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_MAX_COLUMNS", "many")
    path = tmp_path / "table.csv"
    path.write_text("text,label\na,b\n")

    with pytest.raises(UsageError, match="ASSAY_MAX_COLUMNS is 'many'. Write a count"):
        read_table(path)


def test_what_is_large_in_itself_is_no_bomb():
    from assay.core.size_limits import most_bytes, too_many_bytes

    assert most_bytes(1) == 1 << 30
    assert too_many_bytes(10**9, 10**11) == ""


def test_a_setting_of_more_digits_than_a_float_has_is_refused(tmp_path):
    (tmp_path / SETTINGS).write_text('{"present": [0, 1' + "0" * 400 + '], "decision": 1' + "0" * 400 + "}")

    with pytest.raises(AssayError):
        read_settings(tmp_path)
