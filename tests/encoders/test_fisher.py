"""The Fisher information of weights, against closed forms, autograd loops and published code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn import functional

from assay.core.errors import NotApplicable
from assay.core.model import Fishers, LinearHead
from assay.encoders.fisher import cotangents, head_fishers
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.torch_model import Outputs
from assay.models.hf import HuggingFaceSource

HEAD = LinearHead(*(np.random.default_rng(1).standard_normal(shape) for shape in ((4, 5), 4)))
PLAIN = LinearHead(np.eye(3), np.zeros(3))  # the features are the logits
PICTURES = [np.random.default_rng(2).integers(0, 256, (9, 9, 3), dtype=np.uint8) for _ in range(3)]


class Net(nn.Module):
    """A convolution, a linear layer and a head, with the weights of a seed in double precision."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.conv, self.mid, self.fc = nn.Conv2d(2, 4, 3), nn.Linear(4, 5), nn.Linear(5, 3)
        for weight in self.parameters():
            weight.data = torch.tensor(rng.standard_normal(weight.shape) * 0.5)
        self.requires_grad_(requires_grad=False)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.mid(self.conv(x).relu().mean((2, 3))).tanh()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.features(x)
        return features, self.fc(features)


def images(count: int = 6) -> list[torch.Tensor]:
    return [torch.tensor(image[None]) for image in np.random.default_rng(7).standard_normal((6, 2, 5, 5))][
        :count
    ]


def exact(net: nn.Module, inputs: list[torch.Tensor], head: LinearHead = HEAD) -> Fishers:
    return head_fishers(net, net, inputs, head, draws=10, seed=0)


def naive(net: Net, inputs: list[torch.Tensor], head: LinearHead) -> np.ndarray:
    """The definition: for each example and class the gradient of its log probability, squared, times p."""
    net.requires_grad_(requires_grad=True)
    found = np.zeros(9)
    for x in inputs:
        logits = functional.linear(net.features(x), *(torch.tensor(part) for part in head))
        for y, p in enumerate(logits.softmax(1)[0].tolist()):
            log = functional.linear(net.features(x), *(torch.tensor(part) for part in head)).log_softmax(1)
            grads = torch.autograd.grad(log[0, y], [net.conv.weight, net.mid.weight])
            filters = [row.numpy().ravel() for grad in grads for row in grad]
            found += p * np.array([np.mean(row**2) for row in filters])
    net.requires_grad_(requires_grad=False)
    return found / len(inputs)


def test_both_heads_equal_a_loop_over_examples_and_classes():
    net = Net()
    own = LinearHead(net.fc.weight.numpy(), net.fc.bias.numpy())

    target, source = exact(net, images())

    np.testing.assert_allclose(target, naive(net, images(), HEAD), rtol=1e-10)
    np.testing.assert_allclose(source, naive(net, images(), own), rtol=1e-10)


def test_logistic_regression_has_its_closed_form():
    layer = nn.Linear(6, 3).double().requires_grad_(requires_grad=False)
    rows = torch.tensor(np.random.default_rng(0).standard_normal((20, 6)))
    see = lambda x: (layer(x), layer(x))  # noqa: E731

    found = head_fishers(layer, see, rows.split(1), PLAIN, draws=3, seed=0)

    p = layer(rows).softmax(1)  # the diagonal of E[(p - y)(p - y)'] is p (1 - p)
    expected = ((p * (1 - p))[:, :, None] * rows[:, None] ** 2).mean((0, 2))
    np.testing.assert_allclose(found.target, expected, rtol=1e-10)
    np.testing.assert_allclose(found.source, expected, rtol=1e-10)


# awslabs/aws-cv-task2vec task2vec.py at c5795e5: montecarlo_fisher over 40000 batches of one example with
# torch.manual_seed(0), then extract_embedding, on Net(0) and images()
PUBLISHED = (
    0.004760520726192403, 0.0062150469954058585, 0.0005543895832520293, 0.009262655666762385,
    0.045586830163077394, 0.005569850790850524, 0.07955003580001099, 0.004969857130424939,
    0.01367269321839679,
)  # fmt: skip


def test_the_published_code_draws_what_is_expected_here():
    np.testing.assert_allclose(exact(Net(), images()).source, PUBLISHED, rtol=0.015)


@pytest.mark.parametrize("draws", [1, 2, 3])
def test_few_draws_are_right_on_average(draws):
    rng = np.random.default_rng(0)
    logits, jacobian = 2 * rng.standard_normal(6), rng.standard_normal((6, 8))
    p = np.exp(logits) / np.exp(logits).sum()
    expected = np.diag(jacobian.T @ (np.diag(p) - np.outer(p, p)) @ jacobian)

    found = [np.square(cotangents(logits, draws, rng) @ jacobian).sum(axis=0) for _ in range(20_000)]

    np.testing.assert_allclose(np.mean(found, axis=0), expected, rtol=0.05)


@pytest.mark.parametrize("draws", [6, 100])
def test_as_many_draws_as_classes_are_exact(draws):
    rng = np.random.default_rng(0)
    logits = 300 * rng.standard_normal(6)  # most probabilities are 0
    p = np.exp(logits - logits.max())
    p /= p.sum()

    found = cotangents(logits, draws, rng)

    assert len(found) == 6
    np.testing.assert_allclose(found.T @ found, np.diag(p) - np.outer(p, p), atol=1e-12)


def test_a_seed_decides_the_draws():
    once, again, other = (
        head_fishers(net := Net(), net, images(), HEAD, draws=1, seed=seed).target for seed in (0, 0, 1)
    )

    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


def test_examples_are_averaged():
    parts = [exact(Net(), [image]).target for image in images()]

    np.testing.assert_allclose(exact(Net(), images()).target, np.mean(parts, axis=0))


def filters(*parts: nn.Module) -> int:
    """Return how many filters of a sequence are counted, with a head of three classes above."""
    body, head = nn.Sequential(*parts), nn.Linear(5, 3)
    module = nn.ModuleList([body, head]).eval()
    inputs = [torch.tensor([[1, 2]])] if isinstance(parts[0], nn.Embedding) else [torch.randn(1, 4, 6)]

    def see(given):
        features = body(given).mean(1)
        return features, head(features)

    with torch.random.fork_rng(devices=[]):
        return len(head_fishers(module, see, inputs, HEAD, draws=4, seed=0).target)


def test_outputs_of_layers_and_norms_are_filters():
    assert filters(nn.Linear(6, 7), nn.LayerNorm(7), nn.Linear(7, 5, bias=False)) == 7 + 7 + 5


def test_weights_that_are_shared_count_once():
    twice = nn.Linear(5, 5)

    assert filters(nn.Linear(6, 5), twice, twice) == 5 + 5


def test_tables_that_are_looked_up_are_left_out():
    assert filters(nn.Embedding(9, 6), nn.Linear(6, 5)) == 5


def test_a_transposed_convolution_has_its_outputs_second():
    assert filters(nn.ConvTranspose1d(4, 7, 1), nn.Conv1d(7, 3, 1), nn.Linear(6, 5)) == 7 + 3 + 5


def test_a_linear_layer_of_gpt_has_its_outputs_second():
    pytest.importorskip("transformers")
    from transformers.pytorch_utils import Conv1D

    assert filters(Conv1D(nf=7, nx=6), nn.Linear(7, 5)) == 7 + 5


@pytest.mark.parametrize("required", [True, False])
def test_weights_are_left_as_they_were(required):
    net = Net().requires_grad_(requires_grad=required)
    before = [weight.detach().clone() for weight in net.parameters()]

    exact(net, images())

    assert all(weight.requires_grad is required and weight.grad is None for weight in net.parameters())
    assert all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))


def test_weights_are_left_as_they_were_after_an_error():
    net = Net()

    with pytest.raises(RuntimeError):
        exact(net, [*images(), torch.zeros(1, 9, 5, 5)])

    assert not any(weight.requires_grad for weight in net.parameters())


def test_a_model_without_a_head_says_so():
    net = Net()

    with pytest.raises(NotApplicable, match="no source head"):
        head_fishers(net, lambda x: (net.features(x), None), images(), HEAD, draws=1, seed=0)


def test_features_without_gradients_say_so():
    net = Net()
    see = lambda x: tuple(part.detach() for part in net(x))  # noqa: E731

    with pytest.raises(NotApplicable, match="no weight"):
        head_fishers(net, see, images(), HEAD, draws=1, seed=0)


def test_an_image_encoder_reads_pictures_as_it_encodes_them():
    module = nn.Linear(3, 5)

    def forward(batch: torch.Tensor) -> Outputs:
        features = module(batch.mean((2, 3)))
        return Outputs(features, features)

    encoder = ImageEncoder(module, forward, PixelRecipe(4, 4), "cpu", Origin("drawn"))
    before = encoder.encode(PICTURES)

    found = encoder.fishers(iter(PICTURES), HEAD, draws=5, seed=0).source

    p = before.source_probs
    colours = np.stack([picture.mean(axis=(0, 1)) / 255 for picture in PICTURES])
    expected = ((p * (1 - p))[:, :, None] * colours[:, None] ** 2).mean(axis=(0, 2))
    np.testing.assert_allclose(found, expected, rtol=0.05)  # pictures are scaled down to 4 x 4
    np.testing.assert_array_equal(encoder.encode(PICTURES).features, before.features)


def test_a_text_encoder_reads_one_text_at_a_time(tiny_bert_classifier: Path):
    pytest.importorskip("transformers")
    model = HuggingFaceSource(str(tiny_bert_classifier)).open("cpu")
    head = LinearHead(np.random.default_rng(0).standard_normal((2, 16)), np.zeros(2))
    texts = ["the quick fox", "a dog", "happy happy books over the lazy dog"]

    whole = model.fishers(texts, head, draws=3, seed=0)
    parts = [model.fishers([text], head, draws=3, seed=0) for text in texts]

    np.testing.assert_allclose(whole.target, np.mean([part.target for part in parts], axis=0), rtol=1e-6)
    np.testing.assert_allclose(whole.source, np.mean([part.source for part in parts], axis=0), rtol=1e-6)
    layer = 4 * 16 + 32 + 16 + 2 * 16  # attention, both dense layers and both norms
    assert len(whole.target) == 2 * layer + 16  # and the norm of the embeddings; the pooling layer is above
    model.close()
