"""Contract tests of model sources: derive from ``ModelContract``; override ``source`` and ``examples``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from assay.core.errors import NotApplicable
from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead, Model, ModelSource
from assay.core.task import Example, Sound

_TOLERANCE = 1e-4  # relative to the largest feature; float32 sums depend on their order


class ModelContract:
    """The contract tests of model sources; pytest collects the derived class.

    Override ``source`` and ``examples``; the test of batches needs at least 33 examples.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls) -> ModelSource:
        """Return the source under test, with small weights."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return examples that the model reads, of different sizes and lengths."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, source: ModelSource) -> Iterator[Model]:
        """Open the source once for all tests."""
        model = source.open("cpu")
        yield model
        model.close()

    @pytest.fixture(scope="class")
    @classmethod
    def encoded(cls, model: Model, examples: Sequence[Example]) -> Encoded:
        """Encode all examples in one batch."""
        return model.encode(examples)

    def test_the_source_is_accepted(self, source: ModelSource) -> None:
        source.check()

    def test_the_identity_is_stable(self, source: ModelSource) -> None:
        assert source.identity() == source.identity()

    def test_features_are_finite_float32_and_as_wide_as_the_facts_say(
        self, model: Model, encoded: Encoded, examples: Sequence[Example]
    ) -> None:
        assert encoded.features.shape == (len(examples), model.facts.width)
        assert encoded.features.dtype == np.float32
        assert np.isfinite(encoded.features).all()

    def test_batches_of_one_and_of_32_agree(
        self, model: Model, encoded: Encoded, examples: Sequence[Example]
    ) -> None:
        ones = np.concatenate([model.encode([example]).features for example in examples])
        chunks = [examples[start : start + 32] for start in range(0, len(examples), 32)]
        many = np.concatenate([model.encode(chunk).features for chunk in chunks])

        _assert_close(ones, encoded.features)
        _assert_close(many, encoded.features)

    def test_the_order_is_kept(self, model: Model, encoded: Encoded, examples: Sequence[Example]) -> None:
        backwards = model.encode(list(examples)[::-1])

        _assert_close(backwards.features[::-1], encoded.features)

    def test_two_encodes_are_equal(self, model: Model, encoded: Encoded, examples: Sequence[Example]) -> None:
        np.testing.assert_array_equal(model.encode(examples).features, encoded.features)

    def test_two_opens_agree(
        self, source: ModelSource, model: Model, encoded: Encoded, examples: Sequence[Example]
    ) -> None:
        again = source.open("cpu")

        np.testing.assert_array_equal(again.encode(examples).features, encoded.features)
        assert again.facts == model.facts
        again.close()

    def test_source_probs_are_probabilities(
        self, model: Model, encoded: Encoded, examples: Sequence[Example]
    ) -> None:
        if encoded.source_probs is None:
            assert model.facts.source_classes == 0
            return
        assert encoded.source_probs.shape == (len(examples), model.facts.source_classes)
        assert encoded.source_probs.min() >= 0
        np.testing.assert_allclose(encoded.source_probs.sum(1), 1, atol=1e-5)

    def test_examples_are_not_written_to(self, model: Model, examples: Sequence[Example]) -> None:
        contents = [example.samples if isinstance(example, Sound) else example for example in examples]
        arrays = [content for content in contents if isinstance(content, np.ndarray)]
        before = [array.copy() for array in arrays]
        model.encode(examples)

        assert all(np.array_equal(old, new) for old, new in zip(before, arrays, strict=True))

    def test_prepared_images_are_encoded_as_images_are(
        self, model: Model, encoded: Encoded, examples: Sequence[Example]
    ) -> None:
        if model.pixels is None:
            return
        images = [example for example in examples if isinstance(example, np.ndarray)]
        planes = np.stack([model.pixels.prepare(image) for image in images])
        kept = np.ascontiguousarray(planes.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        for pixels in (planes, kept):
            found = model.pixels.encode(pixels)
            np.testing.assert_array_equal(found.features, encoded.features)
            if encoded.source_probs is not None:
                np.testing.assert_array_equal(found.source_probs, encoded.source_probs)

    def test_opening_leaves_the_random_state_alone(self, source: ModelSource) -> None:
        torch = pytest.importorskip("torch")
        before = torch.get_rng_state()
        source.open("cpu").close()

        assert torch.equal(torch.get_rng_state(), before)

    def test_the_weights_are_finite_matrices_or_there_is_a_reason(self, model: Model) -> None:
        outcome = _matrices_or_reason(model)

        assert outcome != ""
        for matrix in () if isinstance(outcome, str) else outcome:
            assert matrix.ndim == 2
            assert min(matrix.shape) >= 2
            assert matrix.dtype in (np.float32, np.float64)
            assert np.isfinite(matrix).all()

    def test_the_fisher_information_changes_no_feature(
        self, model: Model, encoded: Encoded, examples: Sequence[Example]
    ) -> None:
        torch = pytest.importorskip("torch")
        before = torch.get_rng_state()
        head = LinearHead(np.random.default_rng(0).standard_normal((3, model.facts.width)), np.zeros(3))
        try:
            fishers = model.fishers(iter(examples[:2]), head, draws=2, seed=0)
        except NotApplicable:
            fishers = Fishers(np.ones(1), np.ones(1))

        assert fishers.target.shape == fishers.source.shape
        assert np.isfinite(fishers).all()
        assert np.min(fishers) >= 0
        assert fishers.target.max() > 0
        assert torch.equal(torch.get_rng_state(), before)
        np.testing.assert_array_equal(model.encode(examples).features, encoded.features)

    def test_random_weights_are_all_that_untrained_changes(self, source: ModelSource, model: Model) -> None:
        untrained = source.untrained()
        if untrained is None:
            assert not model.facts.is_random
            return
        untrained.check()
        drawn = untrained.open("cpu")
        facts = drawn.facts
        drawn.close()

        assert untrained.identity() != source.identity()
        assert facts.is_random
        assert facts.fingerprint != model.facts.fingerprint
        assert (facts.width, facts.parameters, facts.input, facts.preprocessing) == (
            model.facts.width, model.facts.parameters, model.facts.input, model.facts.preprocessing,
        )  # fmt: skip

    def test_the_facts_are_measured(self, model: Model) -> None:
        facts = model.facts

        assert facts.parameters >= 0
        assert facts.bytes > 0 or not (facts.parameters or model.names is not None)
        assert facts.macs is None or facts.macs > 0
        assert all((facts.input, facts.preprocessing, facts.weights, facts.fingerprint))


def _assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=_TOLERANCE * np.abs(expected).max())


def _matrices_or_reason(model: Model) -> list[np.ndarray] | str:
    try:
        return list(model.weights())
    except NotApplicable as reason:
        return str(reason)
