"""Matrices whose blocks of rows become valid one by one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import ModelError, StoreError
from assay.store.arrays import Arrays

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(1300, 6)).astype(np.float32)
ORDER = RNG.permutation(1300)
SHUFFLED = [np.sort(ORDER[start : start + 512]) for start in range(0, 1300, 512)]
IN_ORDER = [np.arange(start, min(start + 512, 1300)) for start in range(0, 1300, 512)]


@pytest.fixture
def arrays(tmp_path: Path) -> Arrays:
    return Arrays(tmp_path)


def blocks_of(arrays: Arrays, rows=SHUFFLED, width: int | None = 6):
    return arrays.blocks("features", "a1", rows, width)


def write_all(arrays: Arrays, rows=SHUFFLED):
    file = blocks_of(arrays, rows)
    for block, positions in enumerate(rows):
        file.write(block, MATRIX[positions])
    return file


def path_of(arrays: Arrays) -> Path:
    return arrays._root / "features" / "a1.npy"


def damage(path: Path, position: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        file.write(content)


def _npy(array: np.ndarray) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("rows", [SHUFFLED, IN_ORDER])
def test_blocks_are_there_when_they_are_written_in_any_order(arrays, rows):
    first = blocks_of(arrays, rows)
    first.write(2, MATRIX[rows[2]])
    first.write(0, MATRIX[rows[0]])

    again = blocks_of(arrays, rows)
    assert again.present.tolist() == first.present.tolist() == [True, False, True]
    for block in (0, 2):
        np.testing.assert_array_equal(again.matrix[rows[block]], MATRIX[rows[block]])
    assert arrays.read("features", "a1") is None
    assert not arrays.damaged


def test_a_finished_file_is_a_matrix_that_numpy_reads(arrays):
    file = write_all(arrays)

    np.testing.assert_array_equal(arrays.read("features", "a1"), MATRIX)
    np.testing.assert_array_equal(np.load(path_of(arrays), mmap_mode="r"), MATRIX)
    np.testing.assert_array_equal(file.matrix, MATRIX)
    assert not file.matrix.flags.writeable


def test_the_first_block_decides_a_width_that_is_not_known(arrays):
    file = blocks_of(arrays, width=None)
    file.write(1, MATRIX[SHUFFLED[1]])

    assert file.width == blocks_of(arrays, width=None).width == 6
    with pytest.raises(ModelError, match=r"\(512, 5\) rows do not fit a block of \(512, 6\)"):
        file.write(0, MATRIX[SHUFFLED[0]][:, :5])


def test_a_file_of_other_blocks_is_used_as_far_as_its_rows_are_there(arrays):
    write_all(arrays, IN_ORDER)
    assert blocks_of(arrays, SHUFFLED).present.all()

    path_of(arrays).unlink()
    blocks_of(arrays, IN_ORDER).write(1, MATRIX[IN_ORDER[1]])
    halves = [*np.split(np.arange(1024), 4), np.arange(1024, 1300)]
    file = blocks_of(arrays, halves)
    assert file.present.tolist() == [False, False, True, True, False]

    for block in (0, 1, 4):
        file.write(block, MATRIX[halves[block]])
    np.testing.assert_array_equal(arrays.read("features", "a1"), MATRIX)


def test_a_damaged_block_is_named_and_written_again_in_place(arrays):
    write_all(arrays)
    row = int(SHUFFLED[1][5])
    damage(path_of(arrays), 128 + row * 24, bytes(24))

    file = blocks_of(arrays)
    assert file.present.tolist() == [True, False, True]
    assert file.damaged == 1
    assert arrays.damaged == {"features/a1.npy": "1 of 3 blocks do not match their checksums"}

    file.write(1, MATRIX[SHUFFLED[1]])
    assert blocks_of(arrays).present.all()
    np.testing.assert_array_equal(Arrays(arrays._root).read("features", "a1"), MATRIX)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b""),
        lambda path: os.truncate(path, 20_000),
        lambda path: os.truncate(path, 128 + MATRIX.nbytes),  # without its checksums
        lambda path: damage(path, 20, b"'<i4'"),
        lambda path: damage(path, 128 + MATRIX.nbytes, b"?"),
        lambda path: np.save(path, MATRIX[:, :5]),
        lambda path: np.save(path, MATRIX[:1299]),
        lambda path: np.save(path, MATRIX.astype(np.float64)),
        lambda path: np.save(path, np.asfortranarray(MATRIX)),
        lambda path: np.save(path, np.array([{}]), allow_pickle=True),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to(path)),
        lambda path: (path.unlink(), os.mkfifo(path)),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_replaced(arrays, harm):
    write_all(arrays)
    harm(path_of(arrays))

    file = blocks_of(arrays)
    assert not file.present.any()
    assert list(arrays.damaged) == ["features/a1.npy"]

    write_all(arrays)
    np.testing.assert_array_equal(arrays.read("features", "a1"), MATRIX)


def test_a_header_that_claims_a_petabyte_is_refused(arrays):
    write_all(arrays)
    small, large = b"(1300, 6), }".ljust(24), b"(250000000, 1000000), }".ljust(24)
    for content in (path_of(arrays).read_bytes(), _npy(MATRIX)):
        assert small in content
        path_of(arrays).write_bytes(content.replace(small, large))

        assert arrays.read("features", "a1") is None
        assert not blocks_of(arrays).present.any()


def test_a_file_without_checksums_is_used_and_known_as_such(arrays):
    path_of(arrays).parent.mkdir()
    np.save(path_of(arrays), MATRIX)

    assert blocks_of(arrays).present.all()
    np.testing.assert_array_equal(arrays.read("features", "a1"), MATRIX)
    assert arrays.unchecked == {"features/a1.npy"}
    assert not arrays.damaged


def test_a_block_that_another_process_finished_stays_as_it_is(arrays):
    early, late = blocks_of(arrays), blocks_of(arrays)
    early.write(0, MATRIX[SHUFFLED[0]])

    late.write(0, MATRIX[SHUFFLED[0]] + 1)
    late.write(1, MATRIX[SHUFFLED[1]])
    early.write(2, MATRIX[SHUFFLED[2]])

    np.testing.assert_array_equal(arrays.read("features", "a1"), MATRIX)


WRITER = """
import sys
from pathlib import Path
import numpy as np
from assay.store.arrays import Arrays
rows = [np.arange(start, 20_000, 40) for start in range(40)]
file = Arrays(Path(sys.argv[1])).blocks("features", "a1", rows, None)
print("ready", flush=True)
sys.stdin.read(1)
for block in np.random.default_rng(int(sys.argv[2])).permutation(40):
    file.write(int(block), np.outer(rows[block], np.arange(30)))
print("done", flush=True)
"""


def writers(folder: Path, count: int) -> list[subprocess.Popen[str]]:
    """Start processes that write the same file, and release them at the same time."""
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(seed)], stdin=pipe, stdout=pipe, text=True
        )
        for seed in range(count)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return started


@pytest.mark.framework
def test_processes_that_write_one_file_at_the_same_time_finish_it_together(tmp_path):
    for process in writers(tmp_path, 3):
        assert process.communicate()[0].endswith("done\n")

    matrix = Arrays(tmp_path).read("features", "a1")
    np.testing.assert_array_equal(matrix, np.outer(np.arange(20_000), np.arange(30)))
    assert [path.name for path in (tmp_path / "features").iterdir() if path.name != ".lock"] == ["a1.npy"]


@pytest.mark.framework
def test_a_writer_that_is_killed_leaves_only_whole_blocks(tmp_path):
    rows = [np.arange(start, 20_000, 40) for start in range(40)]
    expected = np.outer(np.arange(20_000), np.arange(30))
    for delay in (0.0, 0.002, 0.01):
        folder = tmp_path / str(delay)
        (process,) = writers(folder, 1)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        arrays = Arrays(folder)
        file = arrays.blocks("features", "a1", rows, 30)
        assert not arrays.damaged
        for block in np.flatnonzero(file.present):
            np.testing.assert_array_equal(file.matrix[rows[block]], expected[rows[block]])
        for block in range(40):
            file.write(block, expected[rows[block]])
        np.testing.assert_array_equal(arrays.read("features", "a1"), expected)


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from assay.core.errors import StoreError
from assay.store.arrays import Arrays
rows = [np.arange(0, 500), np.arange(500, 1000)]
file = Arrays(Path(sys.argv[1])).blocks("features", "a1", rows, 10)
file.write(0, np.ones((500, 10)))
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    file.write(1, np.ones((500, 10)))
except StoreError as error:
    print(error)
"""


@pytest.mark.framework
def test_a_full_disk_is_an_error_that_keeps_the_blocks_before(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert "What was finished before is kept. Make room" in done.stdout
    rows = [np.arange(0, 500), np.arange(500, 1000)]
    assert Arrays(tmp_path).blocks("features", "a1", rows, 10).present.tolist() == [True, False]


def test_a_file_that_cannot_be_written_is_a_store_error(arrays):
    (arrays._root / "features").write_text("in the way")

    with pytest.raises(StoreError, match="Cannot write .*a1.npy"):
        blocks_of(arrays).write(0, MATRIX[SHUFFLED[0]])


@pytest.mark.parametrize(
    "rows",
    [
        [np.array([1, 0])],
        [np.array([0]), np.array([0])],
    ],
)
def test_blocks_that_are_no_partition_are_refused(arrays, rows):
    with pytest.raises(ValueError, match="Each row is in one block|in the order of the file"):
        blocks_of(arrays, rows)


FULL = """
import sys
import numpy as np
from pathlib import Path
from assay.core.errors import StoreError
from assay.store.arrays import Arrays
store, ballast = Path(sys.argv[1], "store"), Path(sys.argv[1], "ballast")
rows = [np.arange(start, start + 512) for start in range(0, 20480, 512)]
file = Arrays(store).blocks("features", "a1", rows, 16)
file.write(0, np.ones((512, 16), dtype=np.float32))
with ballast.open("wb", buffering=0) as rest:
    try:
        while True:
            rest.write(bytes(4096))
    except OSError:
        pass
again = Arrays(store).blocks("features", "a1", rows, 16)
print(again.present.sum())
try:
    again.write(1, np.ones((512, 16), dtype=np.float32))
except (OSError, StoreError) as error:
    print(error)
"""


def test_a_matrix_with_holes_is_read_on_a_full_disk_in_memory(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a file system in memory is not allowed here")
    try:
        done = subprocess.run(
            [sys.executable, "-c", FULL, place], check=False, capture_output=True, text=True
        )
    finally:
        subprocess.run(["umount", "-l", place], check=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1\n")
    assert "No space left on device" in done.stdout
