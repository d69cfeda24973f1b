"""Layers of transformers: the same features as a few lines of the library alone give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from tests.conftest import save

from assay.core.errors import ModelError, UsageError
from assay.core.model import Layered
from assay.models.hf import HuggingFaceSource

TEXTS = ["the quick fox", "happy happy books over the lazy dog", "a dog"]
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 36, 3), dtype=np.uint8)
SHAPE = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "vocab_size": 32}
VISION = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
SMALL = {"intermediate_size": 32, "max_position_embeddings": 64}
SPECIAL = {"pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}

TEXT_MODELS: dict[str, tuple[Any, str]] = {  # with what its features are by default
    "BertModel": (transformers.BertConfig(**SHAPE, **SMALL), "mean"),
    "RobertaForMaskedLM": (transformers.RobertaConfig(**SHAPE, **SMALL, **SPECIAL), "mean"),
    "DistilBertForSequenceClassification": (
        transformers.DistilBertConfig(vocab_size=32, dim=16, n_layers=3, n_heads=2, hidden_dim=32), "mean"
    ),
    "ModernBertModel": (
        transformers.ModernBertConfig(**SHAPE, **SMALL, **SPECIAL, cls_token_id=2, sep_token_id=3), "mean"
    ),
    "GPT2LMHeadModel": (transformers.GPT2Config(**SHAPE, n_positions=64, **SPECIAL), "last"),
    "LlamaForCausalLM": (
        transformers.LlamaConfig(**SHAPE, **SMALL, **SPECIAL, num_key_value_heads=1), "last"
    ),
    "Qwen2ForCausalLM": (
        transformers.Qwen2Config(**SHAPE, **SMALL, **SPECIAL, num_key_value_heads=1), "last"
    ),
    "T5ForConditionalGeneration": (
        transformers.T5Config(
            vocab_size=32, d_model=16, d_kv=8, d_ff=32, num_layers=3, num_heads=2, decoder_start_token_id=0
        ), "mean"
    ),
    "BartModel": (
        transformers.BartConfig(
            vocab_size=32, d_model=16, encoder_layers=3, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, **SPECIAL,
        ), "mean"
    ),
}  # fmt: skip

IMAGE_MODELS: dict[str, Any] = {
    "ViTForImageClassification": transformers.ViTConfig(image_size=16, patch_size=4, **VISION),
    "ViTModel": transformers.ViTConfig(image_size=16, patch_size=4, **VISION),
    "Dinov2Model": transformers.Dinov2Config(image_size=16, patch_size=4, **VISION),
    "ConvNextForImageClassification": transformers.ConvNextConfig(
        hidden_sizes=[8, 16], depths=[1, 1], num_stages=2
    ),
    "ResNetModel": transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1]),
    "CLIPModel": transformers.CLIPConfig(
        vision_config={"image_size": 16, "patch_size": 4, **VISION}, text_config={**SHAPE, **SMALL}
    ),
}


@pytest.fixture(params=TEXT_MODELS)
def text_model(request: pytest.FixtureRequest, tiny_bert: Path, tmp_path: Path) -> Path:
    """A saved model of three layers with random weights, and a tokenizer of a few words."""
    config, _ = TEXT_MODELS[request.param]
    save(lambda: getattr(transformers, request.param)(config), tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture(params=IMAGE_MODELS)
def image_model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A saved model with random weights, and a processor."""
    save(lambda: getattr(transformers, request.param)(IMAGE_MODELS[request.param]), tmp_path)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(tmp_path)
    return tmp_path


def states(folder: Path, text: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the states of the tokens of one text at each layer, and the last as the model gives them."""
    module = transformers.AutoModel.from_pretrained(folder).eval()
    module = module.get_encoder() if module.config.is_encoder_decoder else module
    inputs = transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    wanted = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        output = module(**wanted, output_hidden_states=True)
    return [state[0].numpy() for state in output.hidden_states], output.last_hidden_state[0].numpy()


def encoded(folder: Path, **settings: Any) -> np.ndarray:
    source = HuggingFaceSource(str(folder), **settings)
    source.check()
    return source.open("cpu").encode(TEXTS).features


def test_texts_are_read_as_the_library_alone_reads_them(
    text_model: Path, request: pytest.FixtureRequest
) -> None:
    _, pooling = TEXT_MODELS[request.node.callspec.params["text_model"]]
    found = [states(text_model, text) for text in TEXTS]

    def pooled(tokens: np.ndarray) -> np.ndarray:
        return tokens[-1] if pooling == "last" else tokens.mean(0)

    expected = {
        "plain": [pooled(last) for _, last in found],
        "second to last": [pooled(layers[-2]) for layers, _ in found],
        "mean": [pooled(np.mean(layers[1:], axis=0)) for layers, _ in found],
    }
    actual = {
        "plain": encoded(text_model),
        "second to last": encoded(text_model, layer=-2),
        "mean": encoded(text_model, layers="mean"),
    }
    for name, features in actual.items():
        np.testing.assert_allclose(features, expected[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", ["tiny_bert_classifier", "tiny_gpt"])
def test_all_layers_come_from_one_pass(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    model = HuggingFaceSource(str(folder), layer="best").open("cpu")
    assert isinstance(model, Layered)

    layers = model.apart(model.all_layers.encode(TEXTS).features)

    assert len(layers) == 3
    for place, features in enumerate(layers):
        np.testing.assert_allclose(features, encoded(folder, layer=place), atol=1e-6)
    np.testing.assert_array_equal(model.at(1).encode(TEXTS).features, encoded(folder, layer=1))


def test_layers_of_pairs_come_apart(tiny_bert: Path) -> None:
    pairs = [("the fox", "a dog"), ("books", "happy dog")]
    model = HuggingFaceSource(str(tiny_bert), layer="best").open("cpu")
    assert isinstance(model, Layered)

    layers = model.apart(model.all_layers.encode(pairs).features)

    expected = HuggingFaceSource(str(tiny_bert), layer=1).open("cpu").encode(pairs).features
    np.testing.assert_allclose(layers[1], expected, atol=1e-6)


def test_images_are_read_as_the_library_alone_reads_them(image_model: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(image_model)
    processor = transformers.AutoImageProcessor.from_pretrained(image_model)
    pixels = processor(images=[Image.fromarray(IMAGE)], return_tensors="pt")["pixel_values"]
    module = transformers.AutoModel.from_pretrained(image_model).eval()
    with torch.no_grad():
        if config.architectures[0].endswith("ForImageClassification"):  # what its head is given
            headed = transformers.AutoModelForImageClassification.from_pretrained(image_model).eval()
            entered: list[torch.Tensor] = []
            headed.classifier.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0]))
            headed(pixel_values=pixels)
            expected = entered[0]
        elif config.model_type == "clip":
            expected = module.get_image_features(pixel_values=pixels).pooler_output
        elif config.model_type == "resnet":
            expected = module(pixel_values=pixels).pooler_output.flatten(1)
        else:  # the class token
            expected = module(pixel_values=pixels).last_hidden_state[:, 0]

    features = HuggingFaceSource(str(image_model)).open("cpu").encode([IMAGE]).features

    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_images_are_read_at_each_layer(image_model: Path) -> None:
    module = transformers.AutoModel.from_pretrained(image_model).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(image_model)
    tower = getattr(module, "vision_model", module)
    has_token = any(name.endswith(("cls_token", "class_embedding")) for name, _ in tower.named_parameters())
    with torch.no_grad():
        pixels = processor(images=[Image.fromarray(IMAGE)], return_tensors="pt")["pixel_values"]
        found = tower(pixel_values=pixels, output_hidden_states=True).hidden_states
    expected = [
        state.mean((2, 3)) if state.ndim == 4 else state[:, 0] if has_token else state.mean(1)
        for state in found
    ]

    model = HuggingFaceSource(str(image_model), layer="best").open("cpu")
    assert isinstance(model, Layered)
    layers = model.apart(model.all_layers.encode([IMAGE]).features)
    second = HuggingFaceSource(str(image_model), layer=-2).open("cpu").encode([IMAGE]).features

    np.testing.assert_allclose(second, expected[-2], atol=1e-5)
    for place, features in enumerate(layers):
        np.testing.assert_allclose(features, expected[place], atol=1e-5)


def test_the_head_speaks_at_any_layer(tiny_bert_classifier: Path, tiny_vit: Path) -> None:
    texts = [HuggingFaceSource(str(tiny_bert_classifier), layer=layer).open("cpu") for layer in (None, 1)]
    images = [HuggingFaceSource(str(tiny_vit), layer=layer).open("cpu") for layer in (None, 1)]

    np.testing.assert_allclose(*(model.encode(TEXTS).source_probs for model in texts), atol=1e-6)
    np.testing.assert_allclose(*(model.encode([IMAGE]).source_probs for model in images), atol=1e-6)


def test_maps_of_different_sizes_have_no_mean(tmp_path: Path) -> None:
    save(lambda: transformers.ResNetModel(IMAGE_MODELS["ResNetModel"]), tmp_path)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(tmp_path)

    with pytest.raises(ModelError, match="layer=-2"):
        HuggingFaceSource(str(tmp_path), layers="mean").open("cpu")


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_that_is_not_there_says_which_are(tiny_bert: Path, layer: int) -> None:
    with pytest.raises(ModelError, match=r"2 layers. Write 0 .* to 2, or -1 \(the last\) to -3"):
        HuggingFaceSource(str(tiny_bert), layer=layer).open("cpu")


@pytest.mark.parametrize(
    "settings",
    [
        {"layer": "first"}, {"layers": "median"}, {"layer": 1, "layers": "mean"},
        {"layer": -2, "pooling": "pooler"}, {"layers": "mean", "pooling": "pooler"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_choice_of_layers_says_what_to_write(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="[Ww]rite|Leave out"):
        HuggingFaceSource("a/b", **settings).check()


def test_a_closed_model_has_no_layers(tiny_bert: Path) -> None:
    model = HuggingFaceSource(str(tiny_bert), layer="best").open("cpu")
    assert isinstance(model, Layered)
    opened = model.at(1)
    model.close()

    with pytest.raises(ModelError, match="closed"):
        model.at(0)
    with pytest.raises(ModelError, match="closed"):
        opened.encode(TEXTS)
