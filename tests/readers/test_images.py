from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.task import InMemoryExamples
from assay.readers import image_formats
from assay.readers.checking import Checked, check
from assay.readers.digests import digest_example
from assay.readers.files import FolderFiles
from assay.readers.images import StoredImages, is_image, to_rgb


def images_in(folder: Path, *names: str) -> StoredImages:
    return StoredImages(FolderFiles(folder, names))


def check_all(files: StoredImages) -> Checked:
    return check(files, np.arange(len(files)))


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path)
    return path


def test_a_palette_becomes_its_colours() -> None:
    image = Image.new("RGB", (2, 2), (10, 200, 30)).convert("P", palette=Image.Palette.ADAPTIVE)

    assert to_rgb(image)[0, 0].tolist() == [10, 200, 30]


def test_what_is_transparent_becomes_white() -> None:
    assert to_rgb(Image.new("RGBA", (2, 2), (255, 0, 0, 0)))[0, 0].tolist() == [255, 255, 255]


def test_a_transparent_palette_becomes_white(tmp_path: Path) -> None:
    Image.new("P", (2, 2), 0).save(tmp_path / "a.png", transparency=0)

    assert images_in(tmp_path, "a.png").read(0)[0, 0].tolist() == [255, 255, 255]


def test_grey_with_alpha_becomes_rgb() -> None:
    assert to_rgb(Image.new("LA", (2, 2), (40, 255)))[1, 1].tolist() == [40, 40, 40]


def test_16_bit_grey_keeps_its_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.full((3, 2), 257 * 77, dtype=np.uint16)).save(tmp_path / "a.png")

    assert images_in(tmp_path, "a.png").read(0)[0, 0].tolist() == [77, 77, 77]


def test_float_grey_between_0_and_1_is_scaled() -> None:
    assert to_rgb(Image.fromarray(np.full((2, 2), 0.5, dtype=np.float32)))[0, 0].tolist() == [128, 128, 128]


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    red_lab = (138, 81, 70)  # sRGB red, seen in the light D50: L 54 of 100, a 81, b 70
    Image.frombytes("LAB", (2, 2), bytes(red_lab * 4)).save(tmp_path / "a.tif")

    red = images_in(tmp_path, "a.tif").read(0)[0, 0].astype(int)

    assert np.abs(red - [255, 0, 0]).max() < 6
    assert check_all(images_in(tmp_path, "a.tif")).unreadable == {}


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"]
)
def test_every_mode_of_pixels_is_read(mode: str) -> None:
    assert to_rgb(Image.new(mode, (3, 2))).shape == (2, 3, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_turned_images_of_any_depth_are_put_upright(tmp_path: Path, dtype: type) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    values = np.linspace(0, 1, 8).reshape(2, 4) * (1 if dtype is np.float32 else np.iinfo(dtype).max)
    Image.fromarray(values.astype(dtype)).save(tmp_path / "a.tif", exif=exif)
    files = images_in(tmp_path, "a.tif")

    turned = np.array([[146, 0], [182, 36], [219, 73], [255, 109]])
    assert np.abs(files.read(0)[:, :, 0] - turned).max() <= 1
    assert check_all(files).unreadable == {}


@pytest.mark.parametrize("suffix", ["gif", "webp", "tif"])
def test_the_first_of_several_frames_is_read_and_counted(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], duration=9)
    files = images_in(tmp_path, f"a.{suffix}")

    assert check_all(files).firsts == [0]
    assert files.read(0)[4, 4, 0] > 250


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.heic", b"x", "HEIC: pip install pillow-heif"),
        ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC: pip install pillow-heif"),
        ("a.jxl", b"\xff\x0ax", "JXL: pip install pillow-jxl-plugin"),
    ],
)
def test_a_format_that_needs_a_package_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, why: str
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    image_formats.prepare.cache_clear()
    (tmp_path / name).write_bytes(content)

    assert check_all(images_in(tmp_path, name)).unreadable == {0: why}


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")

    assert check_all(images_in(tmp_path, "a.png")).unreadable == {0: "not a regular file"}


def test_cmyk_becomes_rgb() -> None:
    assert to_rgb(Image.new("CMYK", (2, 2), (0, 255, 255, 0)))[0, 0].tolist() == [255, 0, 0]


def test_a_turned_photograph_is_put_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    Image.new("RGB", (8, 4)).save(tmp_path / "a.jpg", exif=exif)

    assert images_in(tmp_path, "a.jpg").read(0).shape == (8, 4, 3)


def test_arrays_are_read_as_copies() -> None:
    examples = InMemoryExamples([np.zeros((2, 2, 3), dtype=np.uint8)], ["first"])

    np.asarray(examples.read(0))[:] = 9

    assert np.max(examples.read(0)) == 0


def test_equal_files_have_equal_digests(jpeg: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jpg").write_bytes(jpeg.read_bytes())
    Image.new("RGB", (2, 2)).save(tmp_path / "c.png")

    digests = check_all(images_in(tmp_path, "a.jpg", "b.jpg", "c.png")).digests

    assert digests[0] == digests[1] != digests[2]


def test_arrays_of_other_shapes_have_other_digests() -> None:
    wide, tall = np.zeros((2, 4, 3), np.uint8), np.zeros((4, 2, 3), np.uint8)

    assert digest_example(wide) != digest_example(tall)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty file"),
        (b"not a picture", "not an image"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 40, "truncated"),
    ],
)
def test_a_file_that_is_no_image_is_found(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.png").write_bytes(content)

    assert check_all(images_in(tmp_path, "a.png")).unreadable == {0: why}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tif"])
def test_a_truncated_image_is_found(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert 0 in check_all(images_in(tmp_path, path.name)).unreadable


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    assert check_all(images_in(tmp_path, "a.png")).unreadable == {0: "no such file"}


def test_suffixes_are_read_in_any_case() -> None:
    assert is_image("IMG_1.JPG")
    assert not is_image("notes.txt")


def float_colours() -> bytes:
    """Return a TIFF of 1 x 1 pixels with three channels of 32-bit floats."""
    tags = {256: 1, 257: 1, 258: 32, 259: 1, 262: 2, 273: 200, 277: 3, 278: 1, 279: 12, 339: 3}
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(100)


def test_a_tiff_of_float_colours_says_which_pixels_it_has(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(float_colours())
    (tmp_path / "b.tif").write_bytes(b"II*\0\xff")
    (tmp_path / "c.tif").write_bytes(b"nothing")

    assert check_all(images_in(tmp_path, "a.tif", "b.tif", "c.tif")).unreadable == {
        0: "a TIFF with 3 channels of 32-bit floats, which is not read: save it as PNG with 8 or 16 bits",
        1: "damaged: a TIFF whose tags cannot be read",
        2: "not an image",
    }
