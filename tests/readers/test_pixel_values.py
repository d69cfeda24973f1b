from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UsageError
from assay.readers.digests import digest_bytes
from assay.readers.files import UnreadableFileError
from assay.readers.pixel_values import (
    PixelKind,
    PixelRange,
    PixelStatistics,
    as_bytes,
    common_ranges,
    measured,
    parse_range,
)
from assay.readers.sixteen_bit import deep_colours, has_deep_colours
from assay.testing.tasks import load_task


def measured_all(kind: PixelKind, *images: np.ndarray) -> list[PixelStatistics]:
    return [statistics for image in images if (statistics := measured(kind, image)) is not None]


def range_of(kind: PixelKind, *images: np.ndarray) -> tuple[float, float]:
    return tuple(common_ranges(measured_all(kind, *images))[kind])


def ramp(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 400).reshape(20, 20)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (ramp(0, 255), (0, 255)),
        (ramp(0, 4095), (0, 4095)),
        (ramp(0, 60_000), (0, 65_535)),
        (ramp(0, 2**32 - 1), (0, 2**32 - 1)),
        (ramp(0, 100_000).round(), (0, 99_749)),  # without the odd 0.1 %
        (ramp(-(2**15), 2**15 - 1), (-(2**15), 2**15 - 1)),
        (ramp(-100, 100), (-128, 127)),
    ],
)
def test_integers_have_the_range_of_their_bits(values: np.ndarray, expected: tuple[float, float]) -> None:
    assert range_of(PixelKind.LONG, values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (ramp(0, 1), (0, 1)),
        (ramp(0, 0.1), (0, 1)),  # dark stays dark
        (ramp(0, 1.0001), (0, 1)),
        (ramp(-1, 1), (-1, 1)),
        (ramp(0, 255), (0, 255)),
        (ramp(0, 65_535), (0, 65_535)),
        (np.full((4, 4), 3.0), (0, 3)),
        (np.full((4, 4), 0.0), (0, 1)),
    ],
)
def test_floats_have_the_range_that_they_fill(values: np.ndarray, expected: tuple[float, float]) -> None:
    assert range_of(PixelKind.FLOAT, values) == expected


def test_computed_tomography_is_read_by_its_own_range() -> None:
    low, high = range_of(PixelKind.LONG, ramp(-1024, 3071).round())

    assert (low, high) == pytest.approx((-1024, 3071), abs=15)


def test_one_range_holds_for_dark_and_bright_images() -> None:
    dark, bright = ramp(0, 300), ramp(0, 4000)

    assert range_of(PixelKind.SHORT, dark, bright) == (0, 4095)


def test_one_odd_pixel_changes_no_range() -> None:
    odd = ramp(0, 1)
    odd[0, 0] = 1e6

    assert range_of(PixelKind.FLOAT, odd) == (0, 1)


def test_one_odd_image_of_many_changes_no_range() -> None:
    assert range_of(PixelKind.FLOAT, *[ramp(0, 1)] * 150, ramp(0, 255)) == (0, 1)


def test_what_is_not_finite_is_black_or_white() -> None:
    values = np.array([[np.nan, -np.inf, np.inf, 0.5]])

    assert as_bytes(values, PixelRange(0, 1)).tolist() == [[0, 0, 255, 128]]
    assert measured(PixelKind.FLOAT, values) == PixelStatistics(PixelKind.FLOAT, 0.5, 0.5, 0.5, 0.5, 3)
    assert measured(PixelKind.FLOAT, np.full((2, 2), np.nan)) is None


@pytest.mark.parametrize("given", [(1,), (1, 1), (2, 1), ("a", 2), (0, float("inf"))])
def test_a_range_that_is_none_is_refused(given: tuple[object, ...]) -> None:
    with pytest.raises(UsageError, match=r"Write for example pixel_range=\(0, 4095\)"):
        parse_range(given)


def save_classes(folder: Path, dtype: type, brightest: float) -> None:
    """Write a dark and a bright class of noise."""
    rng = np.random.default_rng(0)
    for name, share in (("dark", 0.1), ("bright", 1.0)):
        (folder / name).mkdir()
        for number in range(6):
            values = rng.random((20, 20)) * share * brightest
            Image.fromarray(values.astype(dtype)).save(folder / name / f"{number}.tif")


@pytest.mark.parametrize(
    ("dtype", "brightest", "limit"), [(np.float32, 1, 1), (np.uint16, 4000, 4095), (np.int32, 200, 255)]
)
def test_a_task_has_one_range(tmp_path: Path, dtype: type, brightest: float, limit: int) -> None:
    save_classes(tmp_path, dtype, brightest)

    task = load_task(f"folder:{tmp_path}")

    for row in range(len(task.train)):
        stored = np.asarray(Image.open(tmp_path / task.train.examples.name(row)))
        expected = np.rint(np.float64(stored) / limit * 255)
        np.testing.assert_array_equal(np.asarray(task.train.examples.read(row))[:, :, 0], expected)
    assert task.notes[0].endswith(
        f"0 is black and {limit} white in all (write pixel_range=(low, high) to set it)."
    )


def test_the_range_may_be_set_and_is_part_of_the_content(tmp_path: Path) -> None:
    save_classes(tmp_path, np.uint16, 4095)

    found, same, other = (
        load_task(f"folder:{tmp_path}{setting}")
        for setting in ("", "(pixel_range=(0, 4095))", "(pixel_range=(0, 1000))")
    )

    assert found.fingerprint == same.fingerprint != other.fingerprint
    assert "12 images have 16-bit pixels: 0 is black and 1000 white in all (as set)." in other.notes[0]
    assert "What lies beyond is clipped, in 6 images (first: bright/0.tif)." in other.notes[0]


def test_full_16_bit_images_keep_the_content_of_earlier_versions(tmp_path: Path) -> None:
    save_classes(tmp_path, np.uint16, 65_535)

    digests = load_task(f"folder:{tmp_path}").train.digests

    assert digests is not None
    assert set(digests.tolist()) <= {digest_bytes(path.read_bytes()) for path in tmp_path.rglob("*.tif")}


def test_pixels_that_are_not_finite_are_noted(tmp_path: Path) -> None:
    save_classes(tmp_path, np.float32, 1)
    path = tmp_path / "bright" / "0.tif"
    values = np.array(Image.open(path))
    values[:2, 0] = np.nan, np.inf
    Image.fromarray(values).save(path)

    assert load_task(f"folder:{tmp_path}").notes[1] == (
        "1 image has pixels that are not finite (first: bright/0.tif): NaN and -inf are black, inf is white."
    )


def test_unsigned_integers_of_32_bits_do_not_turn_negative(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    values = np.array([[0, 2**31], [2**32 - 1, 2**30]], dtype=np.uint32)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(5):
            tifffile.imwrite(
                tmp_path / name / f"{number}.tif", np.kron(values, np.ones((4, 4), np.uint32)) - number
            )

    pixels = np.asarray(load_task(f"folder:{tmp_path}").train.examples.read(0))

    assert pixels[::4, ::4, 0].tolist()[1][0] == 255


@pytest.mark.parametrize(("most", "limit"), [(4095, 4095), (65535, 65535)])
@pytest.mark.parametrize("depth", [3, 4])
def test_colours_of_16_bits_have_one_range(tmp_path: Path, most: int, limit: int, depth: int) -> None:
    rng = np.random.default_rng(0)
    written = {}
    for row in range(20):
        path = tmp_path / "ab"[row % 2] / f"{row}.png"
        path.parent.mkdir(exist_ok=True)
        colours = rng.integers(0, most + 1, (5, 4, depth))
        colours[..., 3:] = 65535
        written[f"{path.parent.name}/{row}.png"] = colours[..., :3]
        write_deep(path, colours.astype(">u2"))

    task = load_task(f"folder:{tmp_path}")

    assert task.notes[0].startswith(
        f"20 images have 16-bit colour pixels: 0 is black and {limit} white in all"
    )
    for row in range(len(task.train)):
        expected = written[task.train.examples.name(row)] * (255 / limit)
        assert np.abs(np.asarray(task.train.examples.read(row)) - expected).max() <= 1


@pytest.mark.parametrize("settings", [{}, {"byteorder": ">"}, {"compression": "zlib", "predictor": True}])
def test_all_bits_of_colours_in_tiff_are_read(tmp_path: Path, settings: dict[str, object]) -> None:
    tifffile = pytest.importorskip("tifffile")
    colours = np.random.default_rng(0).integers(0, 2**16, (6, 5, 3), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", **settings)

    read = deep_colours(lambda: Image.open(tmp_path / "a.tif"))

    np.testing.assert_array_equal(read, colours)


def test_planes_of_16_bits_are_refused_rather_than_misread(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    colours = np.zeros((3, 6, 5), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", planarconfig="separate")

    with (
        Image.open(tmp_path / "a.tif") as image,
        pytest.raises(UnreadableFileError, match="in planes: save it"),
    ):
        has_deep_colours(image)


def write_deep(path: Path, colours: np.ndarray) -> None:
    """Write a PNG with 16 bits for each colour, which Pillow cannot write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    height, width, depth = colours.shape
    rows = b"".join(b"\0" + row.tobytes() for row in colours)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[depth], 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
