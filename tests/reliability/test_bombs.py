"""Small files that claim or unpack to far more, read by a process that may take 64 MB more than it has."""

from __future__ import annotations

import gzip
import json
import os
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from assay.actions.saved_folder import SETTINGS, read_settings
from assay.cli.score_files import read_arrays
from assay.core.errors import AssayError
from assay.models.features.lookup import read_features
from assay.readers.files import FolderFiles, UnreadableFileError
from assay.readers.images import StoredImages
from assay.store.arrays import Arrays
from assay.store.packs import checksum_of
from assay.tasks.table import Table

ROOM = 64 << 20
ZEROS = bytes(80 << 20)
PETABYTES = repr({"descr": "<f8", "fortran_order": False, "shape": (2**49, 1)})


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + f"{header:117}\n".encode() + content


def archive(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("features.npy", content)
        file.writestr("labels.npy", content[:128])
    return path


def packed(folder: Path, name: str, size: int) -> Path:
    """Write a pack that unpacks to far more, or whose members claim to be larger than it is."""
    (folder / name / "probs").mkdir(parents=True)
    with zipfile.ZipFile(folder / name / "probs" / "merged-a.npz", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("key.npy", ZEROS if not size else b"")
        for member in pack.infolist():
            member.file_size = member.compress_size = size or member.file_size
        pack.comment = checksum_of(pack.infolist())
    return folder / name


def picture(folder: Path) -> Path:
    Image.new("1", (4, 4)).save(folder / "large.png")
    small = (folder / "large.png").read_bytes()
    header = b"IHDR" + struct.pack(">II", 13_000, 13_000) + small[24:29]
    whole = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    (folder / "large.png").write_bytes(whole)
    return folder


def attacks(folder: Path) -> dict[str, Callable[[], object]]:
    """Return what reads each file."""
    shape = repr({"descr": "<f8", "fortran_order": False, "shape": (len(ZEROS) // 8, 1)})
    large, claims = archive(folder / "a.npz", npy(shape, ZEROS)), archive(folder / "b.npz", npy(PETABYTES))
    (folder / "c.csv.gz").write_bytes(gzip.compress(b"text,label\n" + ZEROS, compresslevel=1))
    (folder / "d.csv").write_text(f"text,label{',a' * 10**6}\n")
    (folder / SETTINGS).write_text("[" * 50_000)
    (folder / "shelf").mkdir()
    (folder / "shelf" / "key.npy").write_bytes(npy(PETABYTES, bytes(999)))
    (folder / "e.jsonl").write_text(json.dumps({"text": "a", "label": 0}) + "\n" + "[" * 50_000)
    compressed, claimed = packed(folder, "compressed", 0), packed(folder, "claimed", 2**50)
    pictures = StoredImages(FolderFiles(picture(folder), ("large.png",)))
    return {
        "an archive": lambda: read_arrays(large, "labels", kind=None, sample=None),
        "features": lambda: read_features(large),
        "a header": lambda: read_arrays(claims, "labels", kind=None, sample=None),
        "a header of features": lambda: read_features(claims),
        "a compressed table": lambda: Table(str(folder / "c.csv.gz")).load("table:it", 0),
        "a wide table": lambda: Table(str(folder / "d.csv")).load("table:it", 0),
        "nested lines": lambda: Table(str(folder / "e.jsonl")).load("table:it", 0),
        "nested settings": lambda: read_settings(folder),
        "a picture": lambda: pictures.read(0),
        "a stored array": lambda: Arrays(folder).read("shelf", "key"),
        "a compressed pack": lambda: Arrays(compressed).read("probs", "key"),
        "a pack of claims": lambda: Arrays(claimed).read("probs", "key"),
    }


def outcome(read: Callable[[], object]) -> str:
    try:
        return "absent" if read() is None else "read"
    except (AssayError, UnreadableFileError):
        return "refused"
    except BaseException as error:  # the name of what should not come
        return type(error).__name__


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc for the size of the process")
def test_no_small_file_takes_much_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_MAX_BYTES", "16MB")
    reads = attacks(tmp_path)
    reader, writer = os.pipe()

    child = os.fork()
    if not child:
        has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + ROOM, has + ROOM))
        for name, read in reads.items():
            os.write(writer, f"{name}: {outcome(read)}\n".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = dict(line.strip().split(": ") for line in pipe)
    _, status = os.waitpid(child, 0)

    assert status == 0
    absent = dict.fromkeys(("a stored array", "a compressed pack", "a pack of claims"), "absent")
    assert found == dict.fromkeys(reads, "refused") | absent
