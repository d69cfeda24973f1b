from __future__ import annotations

from assay.models.timm import TimmSource
from assay.models.torch import TorchSource
from assay.plugins.setting_docs import settings_of


def test_settings_are_told_with_types_defaults_and_docs() -> None:
    settings = {setting.name: setting for setting in settings_of(TorchSource)}

    assert list(settings)[:2] == ["arguments", "checkpoint"]
    assert settings["size"][1:3] == ("an integer or None", "None")
    assert settings["mean"].type == "a list of numbers or a number"
    assert settings["arguments"].type == "a list or dict"
    assert settings["rename"].doc.endswith(
        "(('backbone.', ''), ('projector.', None)); None leaves those out."
    )


def test_settings_of_a_base_class_have_its_docs() -> None:
    docs = {setting.name: setting.doc for setting in settings_of(TimmSource)}

    assert docs["image_size"] == "The side of the input in pixels."
    assert docs["num_classes"] == "0 for no head."
    assert settings_of(int) == []
