from hypothesis import given
from hypothesis import strategies as st

from assay.wording.labels import LONGEST, labels, task_labels
from assay.wording.names import width_of

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


def test_what_tells_a_long_address_from_a_short_one_is_said():
    address = "packaged:efficientnet_lite0(pretrained=False, seed=17)"

    assert labels([address, "packaged:efficientnet_lite0"]) == {
        address: "packaged:efficientnet_lite0, pretrained=False",
        "packaged:efficientnet_lite0": "packaged:efficientnet_lite0",
    }


@given(st.lists(st.text(min_size=1, max_size=80), unique_by=lambda text: " ".join(text.split())))
def test_names_are_short_and_all_different_whatever_the_addresses(addresses):
    found = labels(addresses)

    assert list(found) == addresses
    assert len(set(found.values())) == len(addresses)
    assert all(width_of(name) <= LONGEST for name in found.values())


def test_a_task_is_called_by_the_end_of_its_path():
    tasks = ["folder:data/birds/", "table:data/reviews.csv(label='stars')", "sklearn:digits"]

    assert list(task_labels(tasks).values()) == ["birds", "reviews.csv", "digits"]
