from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from assay.core.errors import UsageError
from assay.encoders.pixel_changes import PixelChanges, centred, recipe_from_timm
from assay.encoders.pixels import Fit, PixelRecipe, Rounding

SIZES = [(375, 500), (500, 333), (31, 47), (224, 224), (255, 257), (17, 640), (225, 223)]


@pytest.fixture(params=SIZES, ids=str)
def image(request: pytest.FixtureRequest) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*request.param, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "config",
    [
        {"input_size": (3, 224, 224), "crop_pct": 0.875, "interpolation": "bicubic", "crop_mode": "center"},
        {"input_size": (3, 225, 225), "crop_pct": 0.95, "interpolation": "bilinear", "crop_mode": "center"},
        {"input_size": (3, 64, 64), "crop_pct": 1.0, "interpolation": "bicubic", "crop_mode": "squash"},
        {"input_size": (3, 65, 90), "crop_pct": 0.9, "interpolation": "bilinear", "crop_mode": "center"},
        {"input_size": (3, 96, 96), "crop_pct": 0.9, "interpolation": "bicubic", "crop_mode": "border"},
        {"input_size": (3, 33, 33), "crop_pct": 0.7, "interpolation": "lanczos", "crop_mode": "center"},
    ],
    ids=lambda config: f"{config['crop_mode']} {config['input_size']} {config['interpolation']}",
)
def test_the_input_equals_that_of_timm(image: np.ndarray, config: dict[str, Any]) -> None:
    data = pytest.importorskip("timm.data")
    config = {**config, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    theirs = data.create_transform(**config, is_training=False)(Image.fromarray(image))

    ours = recipe_from_timm(config).read([image], "cpu")[0]

    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("architecture", "weights"),
    [
        ("resnet50", "IMAGENET1K_V1"),
        ("resnet50", "IMAGENET1K_V2"),
        ("efficientnet_b3", "IMAGENET1K_V1"),
        ("vit_h_14", "IMAGENET1K_SWAG_E2E_V1"),
    ],
)
def test_the_input_equals_that_of_torchvision(image: np.ndarray, architecture: str, weights: str) -> None:
    models = pytest.importorskip("torchvision.models")
    from assay.models.torchvision import TorchvisionSource

    transforms = models.get_model_weights(architecture)[weights].transforms()
    theirs = transforms(Image.fromarray(image))

    ours = TorchvisionSource(f"{architecture}.{weights}")._recipe().read([image], "cpu")[0]

    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_a_small_picture_is_padded_with_black() -> None:
    white = np.full((2, 4, 3), 255, np.uint8)

    pixels = PixelRecipe(None, 4).apply(white)

    np.testing.assert_array_equal(pixels[0, :, 0], [0, 255, 255, 0])


def test_a_picture_of_one_line_survives_every_fit() -> None:
    line = np.zeros((1, 300, 3), np.uint8)
    fits = [PixelRecipe((90, 90), 90, fit=fit) for fit in Fit]

    assert {recipe.apply(line).shape for recipe in fits} == {(3, 90, 90)}


def test_grey_is_one_channel_of_luma() -> None:
    red = np.full((3, 3, 3), (255, 0, 0), np.uint8)

    pixels = PixelRecipe(None, 3, channels=1).apply(red)

    assert pixels.shape == (1, 3, 3)
    assert pixels[0, 0, 0] == 76  # 0.299 x 255, ITU-R 601-2


def test_unscaled_pixels_stay_0_to_255() -> None:
    white = np.full((2, 2, 3), 255, np.uint8)

    assert PixelRecipe(None, 2, scale=False).read([white], "cpu").max() == 255


def test_the_recipe_is_told_in_words() -> None:
    recipe = PixelRecipe(256, 224, "bicubic", (0.5,), (0.25,))

    assert recipe.describe() == (
        "short side to 256 (bicubic); centre crop 224 x 224; 0..1; mean 0.5, std 0.25"
    )


def test_a_size_of_ones_own_keeps_the_crop_of_the_model() -> None:
    recipe = PixelChanges(image_size=112).applied_to(PixelRecipe(256, 224), Fraction(224, 256))

    assert (recipe.resize, recipe.size) == (128, (112, 112))


def test_unwritten_changes_change_nothing() -> None:
    recipe = PixelRecipe(232, 224, "bicubic", (0.1, 0.2, 0.3), (0.5,))

    assert PixelChanges().applied_to(recipe, 0.9) == recipe


def test_a_stretched_recipe_stays_stretched() -> None:
    recipe = PixelChanges(image_size=50, crop=0.5).applied_to(centred((10, 10), 1.0, Fit.STRETCH), 1.0)

    assert recipe == PixelRecipe((100, 100), (50, 50), fit=Fit.STRETCH)


@pytest.mark.parametrize(
    "changes",
    [
        PixelChanges(crop=0.0),
        PixelChanges(crop=1.5),
        PixelChanges(image_size=0),
        PixelChanges(std=0.0),
        PixelChanges(mean=(0.1, 0.2)),
        PixelChanges(interpolation="bilinaer"),
    ],
    ids=repr,
)
def test_a_wrong_setting_says_what_to_write(changes: PixelChanges) -> None:
    with pytest.raises(UsageError, match=r"[Ww]rite"):
        changes.check()


def test_pictures_of_any_size_need_a_crop() -> None:
    with pytest.raises(UsageError, match="one size"):
        PixelRecipe(224, None)


@pytest.mark.parametrize(
    ("rounding", "resized", "offset"), [(Rounding.TORCHVISION, (20, 28), 10), (Rounding.NEAREST, (20, 29), 9)]
)
def test_half_pixels_go_where_the_recipe_says(rounding, resized, offset):
    recipe = PixelRecipe(20, 10, rounding=rounding)

    assert recipe._resized(30, 43) == resized
    assert recipe._half(19) == offset


def test_arrays_are_normalised_as_tensors_are() -> None:
    recipe = PixelRecipe(24, 16, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)

    np.testing.assert_allclose(
        recipe.normalise_array(recipe.pixels([image])), recipe.read([image], "cpu"), atol=1e-6
    )


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(("mean", "std"), [((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((0.5,), (0.3,))])
@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_pixels_are_the_same_bits_in_any_layout(channels, mean, std, scale) -> None:
    mean, std = mean[:channels], std[:channels]
    recipe = PixelRecipe((9, 7), None, mean=mean, std=std, channels=channels, scale=scale)
    planes = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, channels, 9, 7), np.uint8))
    expected = planes.float() / 255 if scale else planes.float()
    expected = (expected - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]

    for pixels in (planes, planes.contiguous(memory_format=torch.channels_last)):
        values = recipe.normalise(pixels)
        assert torch.equal(values, expected)
        assert values.stride() == pixels.stride()  # which decides how torch convolves them
