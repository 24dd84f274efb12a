"""`Runner`: encoded inputs to scores, the one place where a model is run without being trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor

from bertwright.checkpoint.names import is_head
from bertwright.data.batches import batches_by_length
from bertwright.data.ragged import Ragged
from bertwright.data.windows import EncodedTexts
from bertwright.engines.engine import Engine
from bertwright.errors import BertwrightError
from bertwright.tasks.prediction import P
from bertwright.tasks.task import Answers, Outputs
from bertwright.text.tokenizer.encoded import Encoded


@dataclass(frozen=True, slots=True)
class Runner(Generic[P]):
    """An engine and the task whose outputs it computes."""

    engine: Engine
    task: Answers[P]

    @classmethod
    def of(cls, engine: Engine, task: Answers[P]) -> Runner[P]:
        """The task takes what it needs of the weights as they are now: once, not for every text.

        Raises:
            BertwrightError: BW526 a head, such as a CRF, holds what is no number.
        """
        weights = engine.weights()
        require_finite_heads(weights)
        return cls(engine, task.with_weights(weights))

    def scores(self, inputs: Sequence[Encoded]) -> list[Tensor]:
        """The scores of inputs on the host, in their order; inside, neighbours in length share a batch.

        Raises:
            BertwrightError: BW526 outputs that are no numbers.
        """
        found: list[Tensor] = [torch.empty(0)] * len(inputs)
        engine = self.engine.ready()
        with torch.inference_mode():
            for group in batches_by_length([len(one) for one in inputs], engine.max_tokens):
                batch = Ragged.from_encoded([inputs[index] for index in group])
                outputs = engine.run(batch)
                require_numbers(outputs, engine.weights)
                for index, one in zip(group, self.task.scores(outputs, batch)):
                    found[index] = one
        return found

    def answers(self, encoded: EncodedTexts) -> list[P]:
        """One answer a text, in their order; raises as `scores`."""
        with torch.inference_mode():
            return self.task.decode(self.scores(encoded.inputs), encoded)


def require_finite_heads(weights: Mapping[str, Tensor]) -> None:
    """Of what a task decodes with itself, no output of the model would show it.

    Raises:
        BertwrightError: BW526 a tensor of a head holds what is no number.
    """
    for name, weight in weights.items():
        if is_head(name) and weight.is_floating_point() and not bool(weight.isfinite().all()):
            raise BertwrightError("BW526", culprit=name)


def require_numbers(outputs: Outputs, weights: Callable[[], Mapping[str, Tensor]]) -> None:
    """From others an answer would be read as well.

    Raises:
        BertwrightError: BW526 an output holds something else; the first of the `weights` that does is named.
    """
    if all(bool(one.isfinite().all()) for one in outputs.values()):
        return
    bad = (name for name, weight in weights().items() if not bool(weight.isfinite().all()))
    raise BertwrightError("BW526", culprit=next(bad, "–"))
