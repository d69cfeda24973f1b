"""Words and their tokens, against what transformers itself makes of texts that are cut into words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from assay.core.errors import ModelError, NotApplicable
from assay.core.task import Words
from assay.encoders.identity import Origin
from assay.encoders.pooling import Pooling, pool_words
from assay.encoders.string_encoder import StringEncoder
from assay.encoders.texts import Reading, TextEncoder, read_base
from assay.encoders.tokens import Tokens
from assay.encoders.words import cut, padded
from assay.models.sentence.encoder import Prompt, SentenceEncoder

TEXTS = [
    Words(("EU", "rejects", "Günther's", "unbelievable", "call", ".")),
    Words(("Antidisestablishmentarianism", "!")),
    Words(("a",)),
]


def encoder(folder: Path, pooling: Pooling = Pooling.MEAN, most: int = 64) -> TextEncoder:
    module = transformers.AutoModel.from_pretrained(folder)
    tokens = Tokens(transformers.AutoTokenizer.from_pretrained(folder), most)
    return TextEncoder(module, read_base(module), Reading(tokens, pooling), "cpu", Origin("drawn"))


def by_transformers(folder: Path, text: Words, pooling: Pooling) -> list[np.ndarray]:
    """Return a vector for each word by the alignment of the tokenizer itself."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer([list(text.words)], is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        states = transformers.AutoModel.from_pretrained(folder).eval()(**encoded).last_hidden_state[0].numpy()
    found = []
    for word in range(len(text.words)):
        own = [place for place, of in enumerate(encoded.word_ids(0)) if of == word]
        chosen = {Pooling.MEAN: own, Pooling.CLS: own[:1], Pooling.LAST: own[-1:]}[pooling]
        found.append(states[chosen].mean(axis=0))
    return found


@pytest.mark.parametrize("pooling", [Pooling.MEAN, Pooling.CLS, Pooling.LAST])
def test_a_word_is_pooled_from_its_tokens(minilm: Path, pooling: Pooling) -> None:
    expected = [vector for text in TEXTS for vector in by_transformers(minilm, text, pooling)]

    encoded = encoder(minilm, pooling).encode(TEXTS)

    np.testing.assert_allclose(encoded.features, expected, atol=1e-5)
    assert (encoded.truncated, encoded.unread, encoded.source_probs) == (0, 0, None)


def test_words_beyond_the_cut_get_zeros_and_are_counted(minilm: Path) -> None:
    encoded = encoder(minilm, most=5).encode(TEXTS)  # with both special tokens

    assert (encoded.truncated, encoded.unread) == (2, 4)
    assert encoded.features.any(axis=1).tolist() == [True, True, True, False, False, False, True, False, True]


def test_a_tokenizer_in_python_of_bytes_is_aligned_as_well() -> None:
    tokenizer = transformers.ByT5Tokenizer()

    (text,) = cut(Tokens(tokenizer, 64), [Words(("ab", "c", "é"))])

    assert text.inputs["input_ids"] == tokenizer("ab c é")["input_ids"]
    assert text.word_of == [0, 0, -1, 1, -1, 2, 2]


def test_a_tokenizer_that_keeps_the_space_in_the_word_is_aligned_as_well() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {letter: place for place, letter in enumerate(["<end>", *"abcé", "Ġ", "Ġc", "Ã", "©"])}
    inner = Tokenizer(models.BPE(vocabulary, [("Ġ", "c")]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")

    (text,) = cut(Tokens(tokenizer, 64), [Words(("ab", "c", "b"))])

    assert text.inputs["input_ids"] == tokenizer("ab c b")["input_ids"]
    assert text.word_of == [0, 0, 1, -1, 2]


def test_a_word_without_any_token_gets_zeros(minilm: Path) -> None:
    encoded = encoder(minilm).encode([Words(("a", "\u200b", "b"))])  # a space of no width

    assert encoded.unread == 1
    assert encoded.features.any(axis=1).tolist() == [True, False, True]


def test_longer_neighbours_change_no_word(minilm: Path) -> None:
    model = encoder(minilm)

    together = model.encode(TEXTS).features

    np.testing.assert_allclose(together[-1:], model.encode(TEXTS[-1:]).features, atol=1e-5)


def test_the_word_of_each_token_is_known_on_padding_too(tiny_bert: Path) -> None:
    tokens = Tokens(transformers.AutoTokenizer.from_pretrained(tiny_bert), 64)

    found = padded(tokens, cut(tokens, [Words(("the", "fox")), Words(("dog",))]), "cpu")

    assert found.word_of.tolist() == [[-1, 0, 1, -1], [-1, 2, -1, -1]]
    assert found.words == 3


def test_the_pooling_layer_reads_no_words() -> None:
    with pytest.raises(ModelError, match="Write pooling='mean', 'cls' or 'last'"):
        pool_words(torch.zeros(1, 2, 3), torch.zeros(1, 2, dtype=torch.int64), 1, Pooling.POOLER)


def test_texts_and_words_in_one_batch_are_refused(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match="A batch mixes"):
        encoder(tiny_bert).encode([Words(("a",)), "a"])


def test_a_sentence_encoder_gives_the_tokens_of_its_transformer(minilm: Path) -> None:
    from sentence_transformers import SentenceTransformer

    module = SentenceTransformer(str(minilm), device="cpu")
    expected = [vector for text in TEXTS for vector in by_transformers(minilm, text, Pooling.MEAN)]

    model = SentenceEncoder(module, Prompt(), Origin("drawn"))

    np.testing.assert_allclose(model.encode(TEXTS).features, expected, atol=1e-5)
    assert model.encode(["word " * 300, "word"]).truncated == 1
    assert model.encode([("word", "word " * 300), ("a", "b")]).truncated == 1


def test_a_sentence_encoder_without_tokens_says_so(minilm: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense

    module = SentenceTransformer(str(minilm), device="cpu")
    module.append(Dense(384, 8))

    with pytest.raises(NotApplicable, match="are not those of its tokens"):
        SentenceEncoder(module, Prompt(), Origin("drawn")).encode(TEXTS)


class Lengths(torch.nn.Module):
    """A text module of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1, 2))

    def forward(self, texts: list[str]) -> torch.Tensor:
        return torch.tensor([[float(len(text))] for text in texts]) @ self.weight


@pytest.mark.parametrize("kind", ["transformer", "strings"])
def test_words_are_trained_as_they_are_encoded(tiny_bert: Path, kind: str) -> None:
    model = encoder(tiny_bert) if kind == "transformer" else StringEncoder(Lengths(), "cpu", Origin("drawn"))

    with model.training() as trainable:
        features = trainable.features(trainable.inputs([trainable.prepared(text) for text in TEXTS], None))
        features.sum().backward()
        gradients = [weight.grad for weight in trainable.module.parameters() if weight.grad is not None]

    np.testing.assert_allclose(features.detach().numpy(), model.encode(TEXTS).features, atol=1e-5)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


def test_a_module_that_is_called_with_texts_reads_words_one_by_one() -> None:
    features = StringEncoder(Lengths(), "cpu", Origin("drawn")).encode(TEXTS).features

    assert features[:, 0].tolist() == [2, 7, 9, 12, 4, 1, 28, 1, 1]
