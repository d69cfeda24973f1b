from hypothesis import given
from hypothesis import strategies as st

from assay.wording.names import LONGEST, labels, shorten, width_of


def test_names_that_differ_in_the_middle_stay_apart():
    names = [f"timm:mobilenetv2_{number}_with_a_common_ending" for number in (100, 140)]

    assert len(set(shorten(names, 24).values())) == 2


def test_names_that_cannot_stay_apart_are_numbered():
    names = ["x" * 30 + letter + "x" * 30 for letter in "ab"]
    short = shorten(names, 12)

    assert [value[:2] for value in short.values()] == ["1 ", "2 "]


def test_wide_letters_are_counted_twice():
    short = shorten(["模型" * 20], 21)["模型" * 20]

    assert width_of(short) <= 21
    assert width_of("e\u0301") == 1


def test_line_ends_in_a_name_do_not_break_a_table():
    assert shorten(["a\nb"], 10) == {"a\nb": "a b"}


NETS = tuple(
    f"torch:realdata_models:build(arguments=('{name}',), checkpoint='weights/{name}/model.pth', size=160)"
    for name in ("mobilenetv1_050_160_in1k", "resnet8_cifar10", "squeezenet1_1_in1k")
)


def test_a_long_address_is_called_by_the_shortest_setting_that_tells_it_apart():
    names = ["mobilenetv1_050_160_in1k", "resnet8_cifar10", "squeezenet1_1_in1k"]

    assert list(labels(NETS).values()) == names


def test_random_weights_of_the_same_module_say_so():
    random = (
        NETS[1]
        .replace(" checkpoint='weights/resnet8_cifar10/model.pth',", "")
        .replace("size", "pretrained=False, size")
    )

    assert labels([*NETS, random])[random] == "resnet8_cifar10, pretrained=False"


def test_settings_that_are_left_out_are_hinted_at():
    address = "timm:mobilenetv2_100(checkpoint='experiments/street_signs_epoch_042.safetensors')"

    assert labels([address, "timm:resnet18"])[address] == "timm:mobilenetv2_100(…)"


def test_the_difference_between_a_long_and_a_short_address_is_shown():
    address = "packaged:efficientnet_lite0(pretrained=False, seed=17)"

    assert labels([address, "packaged:efficientnet_lite0"]) == {
        address: "packaged:efficientnet_lite0, pretrained=False",
        "packaged:efficientnet_lite0": "packaged:efficientnet_lite0",
    }


@given(st.lists(st.text(min_size=1, max_size=80), unique_by=lambda text: " ".join(text.split())))
def test_names_are_short_and_all_different_whatever_the_addresses(addresses):
    result = labels(addresses)

    assert list(result) == addresses
    assert len(set(result.values())) == len(addresses)
    assert all(width_of(name) <= LONGEST for name in result.values())
