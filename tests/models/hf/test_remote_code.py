"""Code that comes with a model runs only at a commit that the user named, or from a folder of the user's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from tests.models.hub_cache import COMMIT, cached, offline_with

from assay.core.errors import ModelError, UsageError
from assay.models.hf import HuggingFaceSource

CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

class OwnConfig(PretrainedConfig):
    model_type = "own"

    def __init__(self, vocab_size=32, hidden_size=8, **others):
        self.vocab_size, self.hidden_size, self.num_hidden_layers = vocab_size, hidden_size, 1
        super().__init__(**others)

class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.words = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()

    def _init_weights(self, module):
        torch.nn.init.normal_(self.words.weight)

    def forward(self, input_ids, attention_mask=None, **others):
        return BaseModelOutput(last_hidden_state=self.words(input_ids))
"""
TEXTS = ["the quick fox", "a dog"]


@pytest.fixture(autouse=True)
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the code that transformers copies away from the user's own cache."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))


@pytest.fixture
def folder(tiny_bert: Path, tmp_path: Path) -> Path:
    """A folder with a model of its own code, its weights and a tokenizer."""
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "own"
    path.mkdir()
    (path / "own_code.py").write_text(CODE)
    config = {"auto_map": {"AutoConfig": "own_code.OwnConfig", "AutoModel": "own_code.OwnModel"}}
    config |= {"model_type": "own", "architectures": ["OwnModel"], "vocab_size": 32, "hidden_size": 8}
    (path / "config.json").write_text(json.dumps(config))
    weights = {"words.weight": torch.arange(256.0).reshape(32, 8)}
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    transformers.AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(path)
    return path


def opened(name: str, **settings: Any) -> np.ndarray:
    source = HuggingFaceSource(name, trust_remote_code=True, **settings)
    source.check()
    return source.open("cpu").encode(TEXTS).features


def test_code_of_a_folder_runs_when_the_user_says_so(folder: Path) -> None:
    ids = transformers.AutoTokenizer.from_pretrained(folder)(TEXTS)["input_ids"]
    expected = [np.arange(256.0).reshape(32, 8)[one].mean(0) for one in ids]

    np.testing.assert_allclose(opened(str(folder)), expected)


def test_code_of_a_folder_does_not_run_by_itself(folder: Path) -> None:
    (folder / "own_code.py").write_text("raise SystemExit('it ran')")

    with pytest.raises(
        UsageError, match=rf"not run.*Read it in the folder.*'hf:{folder}\(trust_remote_code=True"
    ):
        HuggingFaceSource(str(folder)).modality()


def test_code_of_a_repository_runs_at_a_named_commit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path / "hub", "org/own", folder)
    offline_with(tmp_path / "hub", monkeypatch)

    expected = opened(str(folder))

    np.testing.assert_array_equal(opened(f"org/own@{COMMIT}"), expected)


def test_random_weights_take_the_code_of_the_named_commit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path / "hub", "org/own", folder)
    (folder / "own_code.py").write_text("raise SystemExit('the newest code ran')")
    cached(tmp_path / "hub", "org/own", folder, commit="f" * 40)  # main is this now
    offline_with(tmp_path / "hub", monkeypatch)

    assert opened(f"org/own@{COMMIT}", pretrained=False).shape == (2, 8)


@pytest.mark.parametrize("name", ["org/own", "org/own@main", "org/own@0123abc", f"org/own@{COMMIT}0"])
def test_code_of_a_repository_needs_a_commit_in_full(name: str) -> None:
    with pytest.raises(UsageError, match=r"'hf:org/own@<40 hex digits>\(trust_remote_code=True\)'.*commits"):
        HuggingFaceSource(name, trust_remote_code=True).check()


def test_a_repository_with_code_says_what_to_write(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path / "hub", "org/own", folder)
    offline_with(tmp_path / "hub", monkeypatch)

    with pytest.raises(UsageError, match=r"Python code.*'hf:org/own@<40 hex digits of the commit>\(trust"):
        HuggingFaceSource("org/own").modality()


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_of_another_repository_is_refused(folder: Path, file: str) -> None:
    told = json.loads((folder / file).read_text())
    auto_map = {**told.get("auto_map", {}), "AutoTokenizer": ["elsewhere/code--tokens.Own", None]}
    (folder / file).write_text(json.dumps({**told, "auto_map": auto_map}))

    with pytest.raises((ModelError, UsageError), match="another repository, 'elsewhere/code'.*refused"):
        opened(str(folder))


def test_a_model_without_code_of_its_own_may_be_trusted(tiny_bert: Path) -> None:
    plain = HuggingFaceSource(str(tiny_bert)).open("cpu").encode(TEXTS).features

    np.testing.assert_array_equal(opened(str(tiny_bert)), plain)
