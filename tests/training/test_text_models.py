"""Text models are trained as image models are: transformers, sentence encoders, modules of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tests.training.pictures import Pictures
from torch import nn

from assay.core.model import Model
from assay.core.task import Example, LabelKind, Labels, Split
from assay.encoders.identity import Origin
from assay.encoders.pooling import Pooling
from assay.encoders.string_encoder import StringEncoder
from assay.encoders.texts import Reading, TextEncoder, read_base
from assay.encoders.tokens import Tokens
from assay.metrics.accuracy import Accuracy
from assay.models.sentence import SentenceSource
from assay.plugins.protocol import TrainingTask
from assay.protocols.fine_tune import FineTune

QUICK = FineTune(trials=1, epochs=4, batch_size=8, learning_rate=0.003, layer_decay=1.0, label_smoothing=0.0)
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "books", "happy")


class Letters(nn.Module):
    """Texts as the sum of the vectors of their letters."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(256, 6)

    def forward(self, texts: list[str]) -> torch.Tensor:
        return torch.stack([self.table(torch.tensor(list(text.encode()))).mean(0) for text in texts])


def transformer(folder: Path) -> Model:
    module = transformers.AutoModel.from_pretrained(folder)
    tokens = Tokens(transformers.AutoTokenizer.from_pretrained(folder), 32)
    return TextEncoder(module, read_base(module), Reading(tokens, Pooling.MEAN), "cpu", Origin("drawn"))


def sentences(count: int, seed: int, *, pairs: bool) -> Split:
    """Texts that name a dog or do not; of pairs, whether both do the same."""
    rng = np.random.default_rng(seed)
    given: list[Example] = []
    values = []
    for _ in range(count):
        sides = []
        for _ in range(2 if pairs else 1):
            words = list(rng.choice([word for word in WORDS if word != "dog"], 5))
            named = int(rng.integers(2))
            sides.append((" ".join([*words, "dog"] if named else words), named))
        given.append((sides[0][0], sides[1][0]) if pairs else sides[0][0])
        values.append(int(sides[0][1] == sides[-1][1]) if pairs else sides[0][1])
    return Split(Pictures(given), Labels(LabelKind.CLASSIFICATION, np.array(values), ("no", "yes")))


def trained(model: Model, *, pairs: bool = False, protocol: FineTune = QUICK) -> float:
    task = TrainingTask(sentences(48, 0, pairs=pairs), sentences(24, 1, pairs=pairs), Accuracy())
    test = sentences(40, 2, pairs=pairs)
    with protocol.fit(model, task, 0) as tuned:
        return tuned.predict(test.examples).judged(Accuracy(), test.labels)


@pytest.mark.parametrize("folder", ["tiny_bert", "tiny_gpt"])
def test_a_transformer_learns(folder, request):
    assert trained(transformer(request.getfixturevalue(folder))) > 0.9


def test_a_transformer_reads_pairs_while_it_is_trained(tiny_bert):
    model = transformer(tiny_bert)

    assert 0.3 < trained(model, pairs=True) <= 1.0


def test_hidden_tokens_change_the_input_and_nothing_else(tiny_bert):
    with transformer(tiny_bert).training() as trainable:
        prepared = [trainable.prepared("the quick brown fox jumps over the lazy dog " * 3)]
        plain = trainable.inputs(prepared, None)
        hidden = trainable.inputs(prepared, np.random.default_rng(0))

    changed = (plain["input_ids"] != hidden["input_ids"]).float().mean()
    assert 0 < changed < 0.3
    assert torch.equal(plain["attention_mask"], hidden["attention_mask"])


@pytest.mark.parametrize("pairs", [False, True])
def test_a_sentence_encoder_is_trained_and_restored(minilm, pairs):
    model = SentenceSource(str(minilm)).open("cpu")
    before = model.encode(["a dog"]).features

    accuracy = trained(model, pairs=pairs, protocol=FineTune(trials=1, epochs=1, lora=2, augment=True))

    assert 0.3 < accuracy <= 1.0
    np.testing.assert_array_equal(model.encode(["a dog"]).features, before)


@pytest.mark.parametrize("pairs", [False, True])
def test_a_module_of_ones_own_is_trained(pairs):
    torch.manual_seed(0)

    assert trained(StringEncoder(Letters(), "cpu", Origin("drawn")), pairs=pairs) > 0.4
