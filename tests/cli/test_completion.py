"""What the shell completes."""

from __future__ import annotations

from assay.cli import completion


def test_commands_and_options_are_completed(complete):
    assert complete("assay|doct") == ["doctor"]
    assert "--method" in complete("assay|rank|./photos|--me")


def test_a_model_is_completed_after_the_colon_at_which_bash_splits(complete):
    assert complete("assay|rank|./photos|--model|timm|:|resnet18.a1") == ["resnet18.a1_in1k"]
    assert complete("assay|rank|./photos|-m|packaged|:")[0] == "all_minilm_l6_v2"


def test_a_source_is_completed_with_its_names_once_it_is_the_only_one(complete):
    assert "timm:resnet18.a1_in1k" in complete("assay|check|tim")
    assert {"tensorflow:", "timm:", "torch:", "torchvision:"} == set(complete("assay|check|t"))


def test_tasks_and_methods_are_completed_and_paths_are_left_to_the_shell(complete):
    assert complete("assay|rank|suite|:|gl") == ["glue"]
    assert complete("assay|rank|glue|:|rt") == ["rte"]
    assert complete("assay|rank|./pho") == []
    assert complete("assay|rank|./photos|--method|ridge") == ["ridge", "ridge_cv"]
    assert complete("assay|score|a.npz|--method|ridge") == ["ridge_cv"]


def test_without_a_store_no_model_of_it_is_completed(complete):
    assert complete("assay|compare|") == []


def test_models_of_the_hub_are_completed_from_its_cache(monkeypatch, tmp_path):
    (tmp_path / "models--org--mine").mkdir()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    assert completion.models("hf:org/") == ["hf:org/mine"]
