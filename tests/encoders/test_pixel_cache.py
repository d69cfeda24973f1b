from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.features import Encoded
from assay.core.model import PixelInput
from assay.core.task import InMemoryExamples, LabelKind, Labels, Split
from assay.encoders.pixel_cache import PixelCache, kept_pixels, pixel_folder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.prepared_images import PreparedImages
from assay.readers.digests import digest_examples

RECIPE = PixelRecipe(10, 8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.setenv("ASSAY_PIXEL_CACHE", "1GB")
    monkeypatch.setattr("assay.encoders.pixel_cache._LEFT", 0.0)  # however full the disk of this machine is
    return tmp_path


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (12 + row, 20, 3), np.uint8) for row in range(6)]


def split_of(images: list[np.ndarray]) -> Split:
    labels = Labels(LabelKind.CLASSIFICATION, np.zeros(len(images)), ("a",))
    names = [str(row) for row in range(len(images))]
    return Split(InMemoryExamples(images, names), labels, digest_examples(images))


def pixels_of(recipe: PixelRecipe, prepared: list[int]) -> PixelInput:
    def prepare(image: np.ndarray) -> np.ndarray:
        prepared.append(len(image))
        return recipe.apply(image)

    return PixelInput(recipe.geometry, recipe.shape, prepare, lambda pixels: Encoded(pixels, None))


def read(images: list[np.ndarray], rows: list[int], recipe: PixelRecipe = RECIPE) -> tuple[np.ndarray, int]:
    """Read some images through the cache; return their pixels and how many were prepared."""
    prepared: list[int] = []
    pixels = pixels_of(recipe, prepared)
    cache = PixelCache(pixels)
    found = PreparedImages(split_of(images), pixels, cache).read(np.array(rows))
    cache.close()
    return found, len(prepared)


def test_images_are_prepared_once_and_come_back_bit_by_bit(images):
    native = np.stack([RECIPE.apply(image) for image in images])

    first, prepared = read(images, [0, 1, 2])
    again, prepared_again = read(images, [4, 2, 0, 5])

    assert (prepared, prepared_again) == (3, 2)
    np.testing.assert_array_equal(first, native[:3])
    np.testing.assert_array_equal(again, native[[4, 2, 0, 5]])


def test_models_that_differ_in_normalisation_share_pixels_and_others_do_not(images):
    read(images, [0, 1])

    _, of_same = read(images, [0, 1], PixelRecipe(10, 8, mean=(0.5,), std=(0.2,), scale=False))
    _, of_other = read(images, [0, 1], PixelRecipe(10, 8, interpolation="bicubic"))

    assert (of_same, of_other) == (0, 2)


def test_the_same_image_of_another_task_is_found_and_changed_ones_are_not(images):
    read(images, [0, 1])
    changed = images[1].copy()
    changed[0, 0] ^= 1

    _, prepared = read([changed, images[0]], [0, 1])

    assert prepared == 1


def test_damaged_and_half_written_pixels_are_prepared_again(images):
    read(images, [0, 1, 2])
    (index,) = pixel_folder().glob("*.index")
    pixels = index.with_suffix(".pixels")
    content = bytearray(pixels.read_bytes())
    content[5] ^= 1  # of the first image
    pixels.write_bytes(content[:-1])  # and the end of the third
    index.write_bytes(index.read_bytes() + b"half")

    found, prepared = read(images, [0, 1, 2, 3])
    again, prepared_again = read(images, [0, 1, 2, 3])

    assert (prepared, prepared_again) == (3, 0)
    np.testing.assert_array_equal(found, np.stack([RECIPE.apply(image) for image in images[:4]]))
    np.testing.assert_array_equal(again, found)


def test_two_that_add_at_once_keep_what_both_added(images):
    pixels = pixels_of(RECIPE, [])
    one, other = PixelCache(pixels), PixelCache(pixels)
    digests = digest_examples(images).tolist()
    rows = np.stack([RECIPE.apply(image) for image in images])

    channels_last = rows.transpose(0, 2, 3, 1)
    one.add(digests[:3], channels_last[:3])
    other.add(digests[2:5], channels_last[2:5])
    one.add(digests[5:], channels_last[5:])
    one.close()
    other.close()
    found, prepared = read(images, [0, 1, 2, 3, 4, 5])

    assert prepared == 0
    np.testing.assert_array_equal(found, rows)


def test_what_does_not_fit_is_prepared_each_time_and_displaces_nothing(images, monkeypatch):
    size = 3 * 8 * 8
    monkeypatch.setenv("ASSAY_PIXEL_CACHE", str(8 * size))  # of which a recipe has half

    read(images, [0, 1])
    read(images, [2, 3])
    read(images, [4, 5])
    _, first = read(images, [0, 1, 2, 3])
    _, last = read(images, [4, 5])

    assert (first, last) == (0, 2)


def test_recipes_of_earlier_runs_make_room(images, monkeypatch):
    import os

    read(images, [0, 1, 2], PixelRecipe(10, 8, interpolation="box"))
    ((old, _, _),) = kept_pixels()
    os.utime(old, (1e9, 1e9))
    monkeypatch.setenv("ASSAY_PIXEL_CACHE", str(6 * 3 * 8 * 8))

    read(images, [0, 1, 2])
    _, prepared = read(images, [0, 1, 2])

    assert prepared == 0
    assert not old.exists()


def test_without_a_writable_cache_images_are_prepared(images, cache):
    (cache / "pixels").write_text("a file")

    found, prepared = read(images, [0, 1])

    assert prepared == 2
    np.testing.assert_array_equal(found[0], RECIPE.apply(images[0]))


def test_odd_images_come_back_as_prepared(cache):
    odd = [Image.new("RGB", size, "red") for size in ((1, 1), (3, 200), (200, 3))]
    images = [np.asarray(image) for image in odd]

    read(images, [0, 1, 2])
    found, prepared = read(images, [0, 1, 2])

    assert prepared == 0
    np.testing.assert_array_equal(found, np.stack([RECIPE.apply(image) for image in images]))


def test_grey_pixels_have_the_strides_of_planes(images):
    recipe = PixelRecipe(10, 8, channels=1)

    for _ in range(2):
        found, _ = read(images, [0, 1], recipe)
        assert found.strides == np.stack([recipe.apply(image) for image in images[:2]]).strides
