"""Which token comes next: what is forbidden, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bertwright.model.seq2seq.generation.choosing import dice_for, forbid, sampled
from bertwright.model.seq2seq.generation.generate import generate
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings

from .test_seq2seq import batch_of, model


def settings(**changes: object) -> GenerationSettings:
    return GenerationSettings(max_output_length=10, **changes)


def test_no_run_comes_twice() -> None:
    written = torch.tensor([[5, 6, 7, 5, 6], [5, 5, 5, 5, 5], [1, 2, 3, 4, 5]])
    for size in (1, 2, 3, 4, 6):
        scores = forbid(torch.zeros(3, 9), written, settings(no_repeat_ngram_size=size), 0)
        for row, line in enumerate(written.tolist()):
            runs = {tuple(line[i : i + size]) for i in range(len(line) - size + 1)}
            last = line[len(line) - size + 1 :] if size > 1 else []
            expected = {token for token in range(9) if len(line) >= size and (*last, token) in runs}
            assert set(scores[row].isinf().nonzero().flatten().tolist()) == expected


def test_an_output_does_not_end_too_soon() -> None:
    written = torch.ones(2, 3, dtype=torch.int64)
    assert forbid(torch.zeros(2, 5), written, settings(min_length=4), 2)[:, 2].isinf().all()
    assert not forbid(torch.zeros(2, 5), written, settings(min_length=3), 2).isinf().any()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [0.5, 0.3, 0.15, 0.05]),
        ({"temperature": 0.5}, [0.25, 0.09, 0.0225, 0.0025]),
        ({"top_k": 2}, [0.5, 0.3, 0, 0]),
        ({"top_p": 0.75}, [0.5, 0.3, 0, 0]),
        ({"top_p": 0.81}, [0.5, 0.3, 0.15, 0]),
        ({"top_p": 0.01}, [1, 0, 0, 0]),
        ({"top_k": 3, "top_p": 0.8}, [0.5, 0.3, 0, 0]),
    ],
    ids=str,
)
def test_tokens_are_drawn_by_their_probability(changes: dict[str, float], expected: list[float]) -> None:
    count = 20_000
    order = [2, 0, 3, 1]  # the likeliest is not the first
    scores = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()[order].expand(count, 4)
    dice = torch.from_numpy(np.random.default_rng(1).random(count))
    drawn = sampled(scores, settings(**changes), dice)
    shares = torch.bincount(drawn, minlength=4) / count
    whole = np.array(expected) / sum(expected)
    ranked = shares[[order.index(token) for token in (1, 3, 0, 2)]]
    deviation = np.sqrt(whole * (1 - whole) / count)
    assert (np.abs(ranked.numpy() - whole) <= 4 * deviation + 1e-9).all()


def test_the_seed_and_the_source_decide() -> None:
    net = model(initializer_range=0.2)
    source = batch_of(3, 9, 1, 5)
    first, again, other = (
        [one.tokens.tolist() for one in generate(net, source, settings(do_sample=True, seed=seed))]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    ids, places = source.input_ids[3:12], source.position_ids[3:12]
    alone = type(source).of(ids, ids * 0, places, [9])
    assert generate(net, alone, settings(do_sample=True, seed=1))[0].tokens.tolist() == first[1]
    dice = dice_for([np.arange(3), np.arange(4)], settings())
    assert dice.shape == (2, 10)
    assert not torch.equal(dice[0], dice[1])
