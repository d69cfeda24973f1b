"""Packs: what merging writes instead of a file for each job, damaged and hostile ones too."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.store.test_arrays import ARRAYS, as_a_user

from assay.store.arrays import Arrays
from assay.store.packs import checksum_of
from assay.store.verification import files_of

KEYS = [f"a{number}" for number in range(len(ARRAYS))]
LARGE = np.arange(20_000)  # more than is read at once, so it is mapped


@pytest.fixture
def source(tmp_path: Path) -> Arrays:
    """Arrays as files of their own."""
    arrays = Arrays(tmp_path / "source")
    for key, array in zip(KEYS, ARRAYS, strict=True):
        arrays.write("predictions", key, array)
    return arrays


@pytest.fixture
def pack(source: Arrays, tmp_path: Path) -> Path:
    """The same in a pack."""
    Arrays(tmp_path / "store").pack("predictions", KEYS, source)
    (path,) = (tmp_path / "store" / "predictions").iterdir()
    return path


def packed(pack: Path) -> Arrays:
    """Return arrays that have read nothing yet."""
    return Arrays(pack.parent.parent)


def zipped(pack: Path, members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> None:
    """Write a pack by hand, with a right checksum."""
    with zipfile.ZipFile(pack, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
        archive.comment = checksum_of(archive.infolist())


@pytest.mark.parametrize(("key", "array"), list(zip(KEYS, ARRAYS, strict=True)), ids=KEYS)
def test_an_array_comes_back_from_a_pack_as_it_went_in(source, pack, key, array):
    arrays = packed(pack)

    with np.load(pack) as file:
        for read in (arrays.read("predictions", key), file[key]):
            np.testing.assert_array_equal(read, array)
            assert read.dtype == array.dtype
    assert not arrays.notes
    assert arrays.read("predictions", "b0") is None
    assert not arrays.notes


def test_a_pack_holds_the_very_files_and_is_a_sound_zip_file(source, pack):
    with zipfile.ZipFile(pack) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{key}.npy" for key in KEYS]
        for name in archive.namelist():
            assert archive.read(name) == (source.root / "predictions" / name).read_bytes()


def test_a_large_array_of_a_pack_is_mapped_where_numbers_are_aligned(tmp_path):
    source = Arrays(tmp_path / "source")
    for key in ("a", "bb", "ccc"):
        source.write("probs", key, LARGE)
    Arrays(tmp_path / "store").pack("probs", ["a", "bb", "ccc"], source)

    for key in ("a", "bb", "ccc"):
        read = Arrays(tmp_path / "store").read("probs", key)
        np.testing.assert_array_equal(read, LARGE)
        assert read.flags.aligned
        assert not read.flags.owndata
        assert not read.flags.writeable


def test_a_file_of_its_own_counts_before_a_member_of_a_pack(pack):
    arrays = packed(pack)
    arrays.write("predictions", "a0", np.array([7]))

    assert packed(pack).read("predictions", "a0").tolist() == [7]
    (pack.parent / "a0.npy").write_bytes(b"damaged")
    assert packed(pack).read("predictions", "a0") is None


def test_a_pack_that_comes_later_is_found(source, tmp_path):
    reader = Arrays(tmp_path / "store")
    before = reader.read("predictions", "a0")
    Arrays(tmp_path / "store").pack("predictions", KEYS[:2], source)
    os.utime(tmp_path / "store" / "predictions", ns=(1, 1))  # its clock may be too coarse for this test
    first, missing = reader.read("predictions", "a0"), reader.read("predictions", "a2")
    writer = Arrays(tmp_path / "store")
    writer.read("predictions", "a2")
    writer.pack("predictions", KEYS[2:], source)

    assert (before, missing) == (None, None)
    np.testing.assert_array_equal(first, ARRAYS[0])
    np.testing.assert_array_equal(writer.read("predictions", "a2"), ARRAYS[2])
    assert len(list((tmp_path / "store" / "predictions").iterdir())) == 2


def test_a_shelf_of_features_has_no_packs(source, pack, tmp_path):
    (tmp_path / "store" / "features").mkdir()
    pack.rename(tmp_path / "store" / "features" / pack.name)

    assert packed(pack).read("features", "a0") is None


def assert_nothing_is_wrong_unseen(pack: Path) -> int:
    """Assert that each array is the right one, or absent and named; return how many are absent."""
    arrays = packed(pack)
    absent = set()
    for key, array in zip(KEYS, ARRAYS, strict=True):
        read = arrays.read("predictions", key)
        if read is None:
            absent.add(f"predictions/{key}.npy")
        else:
            np.testing.assert_array_equal(read, array)
            assert read.dtype == array.dtype
    assert absent == set(arrays.damaged)
    assert {f"{each.shelf}/{each.key}.npy" for each in files_of(arrays.root) if each.damage} == absent or all(
        "merged-" in reason for reason in arrays.damaged.values()
    )
    return len(absent)


def test_no_bit_of_a_pack_changes_unseen(pack):
    content = pack.read_bytes()
    step = max(1, len(content) // 700)

    for position in [*range(0, len(content), step), *range(len(content) - 900, len(content))]:
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        pack.write_bytes(changed)
        assert assert_nothing_is_wrong_unseen(pack) in {0, 1, len(KEYS)}, position


def test_no_part_of_a_pack_is_missing_unseen(pack):
    content = pack.read_bytes()

    for length in range(0, len(content), len(content) // 50):
        pack.write_bytes(content[:length])
        assert assert_nothing_is_wrong_unseen(pack) == len(KEYS)
        pack.write_bytes(content[:length] + bytes(len(content) - length))
        assert assert_nothing_is_wrong_unseen(pack) == len(KEYS)
        pack.write_bytes(content[length:])
        assert length == 0 or assert_nothing_is_wrong_unseen(pack) == len(KEYS)


HARMS: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: (path.unlink(), path.mkdir(), (path / "file").write_text("of a user")),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "text": lambda path: path.write_text("no archive"),
    "an archive of somebody else": lambda path: np.savez(path, a0=np.arange(3)),
    "a very long comment": lambda path: path.write_bytes(path.read_bytes() + b" " * 70_000),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_pack_that_is_none_is_named_and_removed_once_its_arrays_were_made_again(pack, harm):
    HARMS[harm](pack)
    assert assert_nothing_is_wrong_unseen(pack) == len(KEYS)
    assert any(each.key == pack.stem and each.damage for each in files_of(pack.parent.parent))

    packed(pack).drop_damaged_packs()

    assert not os.path.lexists(pack)
    assert packed(pack).read("predictions", "a0") is None
    assert list(files_of(pack.parent.parent)) == []
    assert harm != "a folder" or (pack.with_name(f"{pack.name}.folder1") / "file").exists()


def test_a_pack_that_may_not_be_read_is_named_and_stays(pack):
    pack.chmod(0)
    with as_a_user():
        arrays = packed(pack)
        assert arrays.read("predictions", "a0") is None
        assert "Permission denied" in arrays.damaged["predictions/a0.npy"]
        arrays.drop_damaged_packs()

    pack.chmod(0o600)
    np.testing.assert_array_equal(packed(pack).read("predictions", "a0"), ARRAYS[0])


def test_a_link_to_a_pack_is_read(pack, tmp_path):
    pack.rename(tmp_path / "elsewhere")
    pack.symlink_to(tmp_path / "elsewhere")

    np.testing.assert_array_equal(packed(pack).read("predictions", "a0"), ARRAYS[0])


def test_names_that_are_no_keys_are_not_members(source, pack):
    content = (source.root / "predictions" / "a0.npy").read_bytes()
    names = [
        "../predictions/b1.npy",
        "/etc/passwd.npy",
        "B1.npy",
        "b1",
        "b1.npy.npy",
        "Ünï.npy",
    ]
    zipped(pack, [(name, content) for name in (*names, "a0.npy")])

    np.testing.assert_array_equal(packed(pack).read("predictions", "a0"), ARRAYS[0])
    assert [each.key for each in files_of(pack.parent.parent)] == ["a0"]


def test_a_member_that_was_copied_under_another_name_counts_as_absent(source, pack):
    zipped(pack, [("a0.npy", (source.root / "predictions" / "a1.npy").read_bytes())])
    arrays = packed(pack)

    assert arrays.read("predictions", "a0") is None
    assert "a copy of another file" in arrays.damaged["predictions/a0.npy"]


def test_of_members_of_one_name_an_intact_one_is_used_or_none(source, pack):
    content = (source.root / "predictions" / "a0.npy").read_bytes()
    with pytest.warns(UserWarning, match="Duplicate name"):
        zipped(pack, [("a0.npy", content[:-1]), ("a0.npy", content)])
    np.testing.assert_array_equal(packed(pack).read("predictions", "a0"), ARRAYS[0])

    with pytest.warns(UserWarning, match="Duplicate name"):
        zipped(pack, [("a0.npy", content), ("a0.npy", content[:-1])])
    assert packed(pack).read("predictions", "a0") is None


def test_a_compressed_member_counts_as_absent(source, pack):
    zipped(pack, [("a0.npy", (source.root / "predictions" / "a0.npy").read_bytes())], zipfile.ZIP_DEFLATED)

    assert packed(pack).read("predictions", "a0") is None


@pytest.mark.parametrize("field", ["header_offset", "file_size"])
@pytest.mark.parametrize("value", [-1, 1, 10**6, 2**40, 2**62])
def test_a_member_that_claims_another_place_or_size_counts_as_absent(source, pack, field, value):
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("a0.npy", (source.root / "predictions" / "a0.npy").read_bytes())
        (member,) = archive.infolist()
        setattr(member, field, value % 2**63)
        member.compress_size = member.file_size
        archive.comment = checksum_of([member])

    assert packed(pack).read("predictions", "a0") is None
