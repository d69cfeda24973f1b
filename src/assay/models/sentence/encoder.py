"""An opened sentence encoder of sentence-transformers, and its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import NotApplicable
from assay.core.features import Encoded
from assay.core.task import Example, Words
from assay.core.trainable import Trainable
from assay.encoders.examples import Text, are_words, as_texts, distinct
from assay.encoders.identity import Origin
from assay.encoders.pairs import compared, encode_texts, sides_of
from assay.encoders.pooling import Pooling
from assay.encoders.precision import Precision
from assay.encoders.text_training import Inputs, hide_tokens, word_inputs
from assay.encoders.tokens import Tokens
from assay.encoders.torch_model import Outputs, TorchModel
from assay.encoders.weights import seeded
from assay.encoders.words import TokenizedWords, WordInputs, WordReading, cut


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt before each text: a string, or the name of one of the model's prompts."""

    text: str | None = None
    name: str | None = None


@final
class SentenceEncoder(TorchModel[Callable[..., np.ndarray]]):
    """Encodes texts as ``SentenceTransformer.encode`` does; a pair is compared feature by feature.

    Args:
        module: The ``SentenceTransformer``, on its device.
        prompt: What is put before each text.
        origin: The origin of the weights.
        precision: The precision of encoding; by default it is chosen for the device.
    """

    def __init__(
        self, module: Any, prompt: Prompt, origin: Origin, precision: Precision | None = None
    ) -> None:
        super().__init__(module, module.encode, str(module.device), precision)
        self._prompt = prompt
        most = module.max_seq_length
        probe = " ".join(["a"] * (most or 1))  # at least as many tokens as the model reads
        text = self._prompt_text()
        self._facts = self._measured(
            lambda: Outputs(torch.from_numpy(self._embedded([probe])[0])),
            origin,
            size=f"{most} tokens" if most else "text",
            preprocessing=" > ".join(type(part).__name__ for part in module)
            + (f"; prompt {text!r}" if text else ""),
        )

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features; of a pair u, v: u, v, abs(u - v), u * v; of words a row for each."""
        if are_words(examples):
            with self._inference():
                return self._words().encode(examples, self._facts.width)
        cut: set[int] = set()

        def encode(side: list[str]) -> np.ndarray:
            features, rows = self._embedded(side)
            cut.update(rows)
            return features

        return Encoded(encode_texts(as_texts(examples), encode, self._facts.width), None, len(cut))

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Return a context in which the weights can be trained."""
        with self._trained() as module:
            yield SentenceTrainable(module, self._prompt_text(), self._words, self._device)

    def _embedded(self, texts: Sequence[str]) -> tuple[np.ndarray, list[int]]:
        """Return features, and the positions of truncated texts; identical texts are read once."""
        each, of_text = distinct(texts)
        prompt, tokens = self._prompt_text(), self._tokens()
        batches, cut = [list(range(len(each)))], list[int]()
        if tokens is not None:
            encoded, cut = tokens.read([f"{prompt}{text}" for text in each])
            batches = [*tokens.batches([len(text["input_ids"]) for text in encoded])]
        with self._precision.context():
            parts = [
                self._run(
                    [each[row] for row in rows],
                    prompt=self._prompt.text,
                    prompt_name=self._prompt.name,
                    convert_to_numpy=True,
                    show_progress_bar=False,
                )
                for rows in batches
            ]
        position = np.argsort([row for rows in batches for row in rows])
        features: np.ndarray = np.concatenate(parts).astype(np.float32, copy=False)
        return features[position[of_text]], np.isin(of_text, cut).nonzero()[0].tolist()

    def _tokens(self) -> Tokens | None:
        """Return the text reading of the model's transformer; None if it has no transformer."""
        tokenizer, most = getattr(self._module[0], "tokenizer", None), self._module.max_seq_length
        return Tokens(tokenizer, most) if callable(tokenizer) and most else None

    def _words(self) -> WordReading:
        """Return the reading of words by the model's transformer, without its prompt."""
        encoder, tokens = getattr(self._module[0], "auto_model", None), self._tokens()
        if encoder is None or tokens is None:
            raise NotApplicable("this sentence encoder has no transformer whose tokens could be read")
        if encoder.config.hidden_size != self._facts.width:
            raise NotApplicable("the features of this sentence encoder are not those of its tokens")
        return WordReading(
            tokens, lambda inputs: encoder(**inputs).last_hidden_state, Pooling.MEAN, False, self._device
        )

    def _prompt_text(self) -> str:
        name = self._prompt.name or self._module.default_prompt_name
        if self._prompt.text is None and name is not None:
            return self._module.prompts[name] or ""
        return self._prompt.text or ""


@final
@dataclass(frozen=True, slots=True)
class SentenceTrainable(Trainable):
    """A sentence encoder in training; the texts of a pair are read one by one and compared.

    Attributes:
        prompt: What is put before each text.
        words: Returns how a text of words is read, or raises ``NotApplicable``.
    """

    module: Any
    prompt: str
    words: Callable[[], WordReading]
    device: str

    def prepared(self, example: Example) -> Text | TokenizedWords:
        """Return the text, or the tokens of its words."""
        if isinstance(example, Words):
            return cut(self.words().tokens, [example])[0]
        return as_texts([example])[0]

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> list[Inputs] | WordInputs:
        """Return the input of all texts; of pairs, of all first ones and of all second ones."""
        if isinstance(prepared[0], TokenizedWords):
            return word_inputs(self.words().tokens, prepared, self.device, rng)
        inputs_of_sides = []
        for texts in sides_of(prepared):
            inputs = self.module.preprocess([self.prompt + text for text in texts])
            inputs = {
                name: value.to(self.device) if isinstance(value, torch.Tensor) else value
                for name, value in inputs.items()
            }
            inputs_of_sides.append(inputs if rng is None else hide_tokens(inputs, self.module.tokenizer, rng))
        return inputs_of_sides

    def features(self, inputs: list[Inputs] | WordInputs) -> torch.Tensor:
        """Return texts x width, pairs x 4 width, or words x width."""
        if isinstance(inputs, WordInputs):
            return self.words().features(inputs)
        return compared([self.module(dict(side))["sentence_embedding"] for side in inputs])


def randomised(module: nn.Module, seed: int) -> None:
    """Give every module that can initialise itself new weights, drawn from ``seed``."""
    from transformers import PreTrainedModel

    with seeded(seed):
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)  # torch's convention for layers with weights
            if callable(reset):
                reset()
        for part in module.modules():
            if isinstance(part, PreTrainedModel):
                part.load_state_dict(type(part)(part.config).state_dict())
