from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.core.task import Modality
from assay.models.hf import HuggingFaceSource

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
TEXTS = ["the quick fox", "a dog"]


def test_the_configuration_tells_what_is_read(tiny_bert: Path, tiny_vit: Path) -> None:
    assert HuggingFaceSource(str(tiny_bert)).modality() is Modality.TEXT
    assert HuggingFaceSource(str(tiny_vit)).modality() is Modality.IMAGE


def test_a_text_classifier_gives_probabilities(tiny_bert_classifier: Path) -> None:
    module = transformers.AutoModelForSequenceClassification.from_pretrained(tiny_bert_classifier).eval()
    inputs = transformers.AutoTokenizer.from_pretrained(tiny_bert_classifier)([TEXTS[0]], return_tensors="pt")
    with torch.no_grad():
        expected = module(**inputs).logits.softmax(1)

    encoded = HuggingFaceSource(str(tiny_bert_classifier)).open("cpu").encode(TEXTS)

    assert encoded.features.shape == (2, 16)
    np.testing.assert_allclose(encoded.source_probs[0], expected[0], atol=1e-5)


def test_an_image_classifier_is_read_before_its_head(tiny_vit: Path) -> None:
    from PIL import Image

    module = transformers.ViTForImageClassification.from_pretrained(tiny_vit).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(tiny_vit)
    pixels = processor(images=[Image.fromarray(IMAGE)], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        features = module.vit(pixels).last_hidden_state[:, 0]
        probs = module(pixels).logits.softmax(1)

    encoded = HuggingFaceSource(str(tiny_vit)).open("cpu").encode([IMAGE])

    np.testing.assert_allclose(encoded.features, features, atol=1e-5)
    np.testing.assert_allclose(encoded.source_probs, probs, atol=1e-5)


def test_patches_may_be_averaged(tiny_vit: Path) -> None:
    encoded = HuggingFaceSource(str(tiny_vit), pooling="mean").open("cpu").encode([IMAGE])

    assert encoded.features.shape == (1, 24)
    assert encoded.source_probs.shape == (1, 7)


def test_images_have_no_last_token(tiny_vit: Path) -> None:
    with pytest.raises(ModelError, match="no last token"):
        HuggingFaceSource(str(tiny_vit), pooling="last").open("cpu")


def test_a_model_that_looks_back_is_read_at_its_last_token(tiny_gpt: Path) -> None:
    model = HuggingFaceSource(str(tiny_gpt)).open("cpu")
    last = HuggingFaceSource(str(tiny_gpt), pooling="last").open("cpu")

    assert "pooling last" in model.facts.preprocessing
    np.testing.assert_array_equal(model.encode(TEXTS).features, last.encode(TEXTS).features)


def test_an_encoder_decoder_is_read_by_its_encoder(tiny_bert: Path, tmp_path: Path) -> None:
    config = transformers.T5Config(
        vocab_size=32, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, decoder_start_token_id=0
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path)

    assert HuggingFaceSource(str(tmp_path)).open("cpu").encode(TEXTS).features.shape == (2, 16)


def test_fewer_layers_cut_the_model(tiny_bert: Path) -> None:
    cut = HuggingFaceSource(str(tiny_bert), layers=1).open("cpu").facts
    whole = HuggingFaceSource(str(tiny_bert)).open("cpu").facts

    assert cut.parameters < whole.parameters


def test_random_weights_have_the_same_shape(tiny_bert: Path) -> None:
    random = HuggingFaceSource(str(tiny_bert), pretrained=False, seed=5).open("cpu").facts
    trained = HuggingFaceSource(str(tiny_bert)).open("cpu").facts

    assert random.parameters == trained.parameters
    assert random.fingerprint != trained.fingerprint


def test_a_pooling_layer_without_weights_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    transformers.BertModel.from_pretrained(tiny_bert, add_pooling_layer=False).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(tmp_path)
    HuggingFaceSource(str(tmp_path)).open("cpu")

    with pytest.raises(CheckpointError, match="pooler"):
        HuggingFaceSource(str(tmp_path), pooling="pooler").open("cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json"):
        HuggingFaceSource(str(tmp_path)).check()


@pytest.mark.parametrize(
    "source", [HuggingFaceSource("a/b", pooling="max"), HuggingFaceSource("a/b", max_tokens=1)], ids=repr
)
def test_a_wrong_setting_says_what_to_write(source: HuggingFaceSource) -> None:
    with pytest.raises(UsageError, match="write|Write"):
        source.check()


def test_a_model_that_is_not_there_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(ModelError, match="nobody/nothing.*assay fetch hf:nobody/nothing"):
        HuggingFaceSource("nobody/nothing@abc").modality()


def test_the_folder_is_known_by_its_contents(tiny_bert: Path, tiny_gpt: Path) -> None:
    assert HuggingFaceSource(str(tiny_bert)).identity() != HuggingFaceSource(str(tiny_gpt)).identity()


def test_a_pinned_revision_is_part_of_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    assert "0123abc" in HuggingFaceSource("org/name@0123abc").identity()


def test_max_tokens_cuts_texts(tiny_bert: Path) -> None:
    model = HuggingFaceSource(str(tiny_bert), max_tokens=4).open("cpu")

    assert model.facts.input == "4 tokens"


@pytest.mark.parametrize("mean", [[0.5], [0.5, 0.5, 0.5]])
def test_a_model_of_one_channel_is_given_grey_images(tmp_path: Path, mean: list[float]) -> None:
    from PIL import Image

    module = small_vit(1)
    module.save_pretrained(tmp_path)
    size = {"height": 16, "width": 16}
    transformers.ViTImageProcessor(size=size, image_mean=mean, image_std=mean).save_pretrained(tmp_path)
    grey = np.asarray(Image.fromarray(IMAGE).resize((16, 16)).convert("L"))

    model = HuggingFaceSource(str(tmp_path)).open("cpu")

    with torch.no_grad():
        expected = module(torch.tensor(grey / 127.5 - 1, dtype=torch.float32)[None, None]).last_hidden_state
    features = model.encode([np.asarray(Image.fromarray(IMAGE).resize((16, 16)))]).features
    np.testing.assert_allclose(features, expected[:, 0], atol=1e-4)
    assert ": grey; " in model.facts.preprocessing


def test_a_model_of_four_channels_says_so(tmp_path: Path) -> None:
    small_vit(4).save_pretrained(tmp_path)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(tmp_path)

    with pytest.raises(ModelError, match="takes 4 channels; images have 3, or 1 if grey"):
        HuggingFaceSource(str(tmp_path)).open("cpu")


def test_a_model_of_characters_reads_short_and_long_texts_as_alone(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.CanineConfig(**sizes, num_hash_buckets=256, max_position_embeddings=512)
    module = transformers.CanineModel(config).eval()
    module.save_pretrained(tmp_path)
    tokenizer = transformers.CanineTokenizer(model_max_length=512)
    tokenizer.save_pretrained(tmp_path)

    features = HuggingFaceSource(str(tmp_path)).open("cpu").encode(["a", *TEXTS]).features

    with torch.no_grad():
        expected = module(**tokenizer([TEXTS[0]], return_tensors="pt")).last_hidden_state.mean(1)
    np.testing.assert_allclose(features[1:2], expected, atol=1e-5)


def test_positions_that_begin_after_padding_are_not_exceeded(tmp_path: Path, tiny_bert: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    tokenizer.model_max_length = int(1e30)  # as it is where no limit was saved
    tokenizer.save_pretrained(tmp_path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    positions = {"max_position_embeddings": 34, "vocab_size": len(tokenizer), "pad_token_id": 1}
    module = transformers.Data2VecTextModel(transformers.Data2VecTextConfig(**sizes, **positions))
    module.save_pretrained(tmp_path)

    model = HuggingFaceSource(str(tmp_path)).open("cpu")

    assert model.facts.input == "32 tokens"
    assert model.encode([" ".join(["dog"] * 60)]).truncated == 1


def small_vit(channels: int) -> transformers.ViTModel:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.ViTConfig(image_size=16, patch_size=8, num_channels=channels, **sizes)
    return transformers.ViTModel(config, add_pooling_layer=False).eval()


@pytest.mark.parametrize("layer", [None, "best"])
def test_weights_are_loaded_in_the_dtype_that_is_named(
    tiny_bert: Path, tiny_vit: Path, layer: str | None
) -> None:
    for folder, example in ((tiny_bert, "the quick fox"), (tiny_vit, np.full((30, 30, 3), 90, np.uint8))):
        single = HuggingFaceSource(str(folder), layer=layer).open("cpu")
        half = HuggingFaceSource(str(folder), layer=layer, dtype="bfloat16").open("cpu")

        assert half.facts.dtype == "bfloat16"
        assert half.facts.bytes < 0.6 * single.facts.bytes
        first, second = single.encode([example]).features[0], half.encode([example]).features[0]
        assert first @ second > 0.999 * np.linalg.norm(first) * np.linalg.norm(second)


def test_auto_is_the_identity_of_before_and_a_named_dtype_another(tiny_bert: Path) -> None:
    auto, single, half = (
        HuggingFaceSource(str(tiny_bert), dtype=dtype).identity() for dtype in ("auto", "float32", "bfloat16")
    )

    assert "dtype" not in auto
    assert len({auto, single, half}) == 3
