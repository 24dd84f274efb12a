"""Spans that may lie in each other: what is learnt, what is read again, windows, and a run that finds nested ones."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bertwright import BertForSpanPointing, BertTokenizer, Predictor, finetune
from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where, spans_of
from bertwright.data.ragged import Ragged
from bertwright.data.tagged.encoded_units import EncodedUnits
from bertwright.data.targets import Targets
from bertwright.data.windows import Reading
from bertwright.model.pointer import POINTER_SIZE, pair_scores, rotated
from bertwright.tasks.entities import span_pointing
from bertwright.tasks.entities.entities import Entity, EntityPrediction
from bertwright.tasks.entities.span_pointing import SpanPointing

from ..tagged_texts import tagged_sentences

WHOLE = Reading(100_000, "head", 0)


@pytest.fixture(scope="session")
def tokenizer(tagger_model: Path) -> BertTokenizer:
    return BertTokenizer.from_pretrained(tagger_model)


def nested_sentences(count: int, seed: int) -> list[Example]:
    """Each name of two words holds a name of one, and Chinese names their family name."""
    examples = []
    for one in tagged_sentences(count, seed):
        spans = list(spans_of(one) or ())
        for span in spans_of(one) or ():
            text = one.text[span.start : span.end]
            if " " in text:
                spans.append(Span(span.start, span.start + text.index(" "), "FIRST"))
        examples.append(Example(one.text, Marked(tuple(spans)), one.where))
    return examples


def taken(targets: Targets, members: Sequence[int]) -> Tensor:
    """The targets of some inputs."""
    found = targets.take(np.array(members))
    assert isinstance(found, Tensor)
    return found


def perfect(encoded: EncodedUnits, targets: torch.Tensor) -> list[torch.Tensor]:
    """What a model without a mistake would find: every target pair, and nothing else."""
    found = []
    for index in range(len(encoded.inputs)):
        rows = targets[(targets[:, 0] == index) & (targets[:, 4] == 1), 1:4].float()
        found.append(torch.cat([rows, torch.full((len(rows), 1), 9.0)], 1))
    return found


@pytest.mark.parametrize("limit", [14, 20, 64])
def test_nested_spans_survive_encoding_and_decoding(tokenizer: BertTokenizer, limit: int) -> None:
    sentences = nested_sentences(30, 3)
    text = " ".join(one.text for one in sentences)
    spans, start = [], 0
    for one in sentences:
        spans += [Span(start + span.start, start + span.end, span.type) for span in spans_of(one) or ()]
        start += len(one.text) + 1
    whole = Example(text, Marked(tuple(spans)), Where("x", 1))
    task = SpanPointing.from_examples([whole], "x")
    assert task.types == ("FIRST", "LOC", "PER")
    encoded = task.encode(tokenizer, [whole], Reading(limit, "window", limit // 3))
    assert isinstance(encoded, EncodedUnits)
    assert len(encoded.inputs) > 3
    targets = taken(task.targets([whole], encoded), range(len(encoded.inputs)))
    answer = task.decode(perfect(encoded, targets), encoded)[0]
    assert isinstance(answer, EntityPrediction)
    assert {Span(one.start, one.end, one.type) for one in answer.entities} == set(spans)
    assert all(one.text == text[one.start : one.end] for one in answer.entities)
    scores = task.score([answer], [whole])
    assert (scores["f1"], scores["recall"]) == (1.0, 1.0)


def test_pair_scores_are_the_formula() -> None:
    """Written out for single pairs: the bilinear form of rotated ends, and each type's opinion of both."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(5, 2 * POINTER_SIZE + 2 * 3, generator=generator)
    scores = pair_scores(features)
    for kind, first, last in itertools.product(range(3), range(5), range(5)):
        q, k = features[first, :POINTER_SIZE], features[last, POINTER_SIZE : 2 * POINTER_SIZE]
        expected = q @ k / POINTER_SIZE**0.5
        expected = expected + features[first, 2 * POINTER_SIZE + kind] + features[last, 2 * POINTER_SIZE + 3 + kind]
        if last < first:
            assert scores[kind, first, last] == torch.finfo(torch.float32).min
        else:
            assert scores[kind, first, last].item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)


def test_pair_scores_are_as_exact_as_the_features_under_autocast() -> None:
    features = torch.randn(7, 2 * POINTER_SIZE + 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = pair_scores(features)
    with torch.autocast("cpu", torch.bfloat16):
        scores = pair_scores(features)
    assert torch.equal(scores, expected)
    gradients = [torch.autograd.grad(one.triu().sum(), features)[0] for one in (scores, expected)]
    assert torch.equal(*gradients)


def test_rotation_keeps_lengths_and_sees_distances_only() -> None:
    q, k = torch.randn(2, 1, POINTER_SIZE, generator=torch.Generator().manual_seed(1)).expand(2, 30, -1)
    positions = torch.arange(30)
    turned_q, turned_k = rotated(q, positions), rotated(k, positions)
    assert torch.allclose(turned_q.norm(dim=1), q.norm(dim=1), rtol=1e-5)
    products = turned_q @ turned_k.T
    for distance in range(5):
        along = products.diagonal(distance)
        assert torch.allclose(along, along[:1].expand_as(along), atol=1e-4)


def test_the_loss_is_that_of_the_paper(tagger_model: Path, tokenizer: BertTokenizer) -> None:
    """log(1 + sum over spans of exp(-s)) + log(1 + sum over other pairs of exp(s)), a mean over types."""
    examples = nested_sentences(3, 1)
    task = SpanPointing.from_examples(examples, "x")
    model = BertForSpanPointing.load(tagger_model, **task.config_changes())
    with torch.no_grad():
        model.pointer.types.bias.normal_()
    encoded = task.encode(tokenizer, examples, WHOLE)
    batch = Ragged.from_encoded(encoded.inputs)
    targets = taken(task.targets(examples, encoded), range(3))
    weights = torch.tensor([0.5, 0.3, 0.2])
    loss = task.loss(model, batch, targets, weights)["loss"]
    expected = 0.0
    for index, one in enumerate(torch.split(model.scores(batch), list(batch.lengths))):
        scores = pair_scores(one).double()
        spans = {tuple(row[1:4]) for row in targets.tolist() if row[0] == index}
        for kind in range(len(task.types)):
            inside, outside = 0.0, 0.0
            for first in range(len(one)):
                for last in range(first, len(one)):
                    score = scores[kind, first, last].exp().item()
                    if (first, last, kind) in spans:
                        inside += 1 / score
                    else:
                        outside += score
            expected += weights[index].item() * (np.log1p(inside) + np.log1p(outside)) / len(task.types)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    loss.backward()
    assert model.pointer.ends.weight.grad is not None


def test_units_that_a_span_cuts_are_not_taught_to_be_none(tagger_model: Path, tokenizer: BertTokenizer) -> None:
    """Half a word is a person: a loss that calls the whole word none would teach the contrary of the data."""
    text = "yesterday Anna Miller met Peter"
    spans = (Span(10, 19, "PER"), Span(26, 31, "PER"), Span(26, 29, "LOC"))
    example = Example(text, Marked(spans), Where("x", 1))
    task = SpanPointing(("LOC", "PER"))
    model = BertForSpanPointing.load(tagger_model, **task.config_changes())
    encoded = task.encode(tokenizer, [example], WHOLE)
    batch = Ragged.from_encoded(encoded.inputs)
    targets = taken(task.targets([example], encoded), [0])
    assert targets.tolist() == [[0, 5, 5, 1, 1], [0, 2, 3, 1, 0], [0, 5, 5, 0, 0]]
    features = model.scores(batch).detach().requires_grad_()
    pairs: list[torch.Tensor] = []

    def kept(one: torch.Tensor) -> torch.Tensor:
        pairs.append(pair_scores(one))
        pairs[0].retain_grad()
        return pairs[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(span_pointing, "pair_scores", kept)
        patch.setattr(model, "scores", lambda batch: features)
        task.loss(model, batch, targets, torch.ones(1))["loss"].backward()
    slope = pairs[0].grad
    assert slope is not None
    assert slope[1, 2, 3] == slope[0, 5, 5] == 0
    assert slope[1, 5, 5] < 0 < slope[0, 2, 3], "another type is none there, and a span is one"
    assert min(slope[1, 2, 2], slope[1, 3, 3]) > 0


def test_a_run_finds_nested_spans(tagger_model: Path, tmp_path: Path) -> None:
    train, dev = nested_sentences(200, 1), nested_sentences(40, 2)
    run = finetune(
        train, dev, model=tagger_model, out=tmp_path / "run", task="spans", epochs=8, learning_rate=5e-3, batch_size=8
    )
    assert run.outcome.best.scores["f1"] > 0.9
    assert run.outcome.best.scores.keys() == {"f1", "precision", "recall", "ece"}
    answer = Predictor.load(run.folder)("yesterday Anna Miller met Peter near New Harbour , Oslo .").to_json()
    found = {(one["text"], one["type"]) for one in answer["entities"]}
    assert {("Anna Miller", "PER"), ("Anna", "FIRST"), ("New Harbour", "LOC"), ("New", "FIRST")} <= found
    assert "| FIRST |" in (run.folder / "README.md").read_text(encoding="utf-8")


def answered(text: str, *entities: tuple[int, int, str]) -> EntityPrediction:
    return EntityPrediction(False, tuple(Entity(*one, 0.9, text[one[0] : one[1]]) for one in entities))


def nested_example() -> Example:
    """One name within another."""
    return Example("University of Oslo", Marked((Span(0, 18, "ORG"), Span(14, 18, "LOC"))), Where("x", 1))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(0, 18, "ORG")], [("missed", "Oslo (LOC)", "–")]),
        ([(14, 18, "LOC")], [("missed", "University of Oslo (ORG)", "–")]),
        (
            [(0, 18, "LOC")],
            [("wrong type", "University of Oslo (ORG)", "University of Oslo (LOC)"), ("missed", "Oslo (LOC)", "–")],
        ),
        ([(11, 18, "LOC")], [("wrong place", "University of Oslo (ORG), Oslo (LOC)", "of Oslo (LOC)")]),
        ([(0, 18, "ORG"), (14, 18, "LOC")], []),
    ],
)
def test_a_missed_span_within_a_found_one_is_a_mistake(
    found: list[tuple[int, int, str]], expected: list[tuple[str, str, str]]
) -> None:
    one = nested_example()
    rows = SpanPointing(("LOC", "ORG")).mistakes([answered(one.text, *found)], [one]).rows
    assert [(row["kind"], row["gold"], row["predicted"]) for row in rows] == expected


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        (["ORG", "LOC"], ()),
        (["LOC"], ()),
        (["LOC", "PER"], (("ORG", "PER", "1"),)),
        (["PER"], (("LOC", "PER", "1"), ("ORG", "PER", "1"))),
        (["ORG", "LOC", "PER"], ()),
    ],
)
def test_a_place_with_two_types_is_confused_with_neither(found: list[str], rows: tuple[tuple[str, ...], ...]) -> None:
    one = Example("Oslo", Marked((Span(0, 4, "LOC"), Span(0, 4, "ORG"))), Where("x", 1))
    answer = answered(one.text, *((0, 4, kind) for kind in found))
    tables = SpanPointing(("LOC", "ORG", "PER")).judge([answer], [one]).tables
    assert tuple(row for table in tables[2:] for row in table.rows) == rows


def test_what_was_cut_off_is_within_no_span(tokenizer: BertTokenizer) -> None:
    """The last word of the beginning and the first one of the end are neighbours in the input, and in nothing else."""
    text = "Anna lives in Oslo . " + "it rains . " * 30 + "Peter Anna"
    spans = (Span(0, 4, "PER"), Span(5, len(text) - 5, "PER"), Span(len(text) - 10, len(text), "PER"))
    one = Example(text, Marked(spans), Where("x", 1))
    task = SpanPointing(("PER",))
    encoded = task.encode(tokenizer, [one], Reading(12, "head+tail", 0))
    assert isinstance(encoded, EncodedUnits)
    word_ids = encoded.inputs[0].word_ids
    before = int(np.flatnonzero(np.diff(word_ids) > 1)[0])
    assert (word_ids[before], word_ids[before + 1]) == (1, 89)
    taught = taken(task.targets([one], encoded), [0])
    assert taught[:, 1:3].tolist() == [[1, 1], [9, 10]]
    found = torch.cat([perfect(encoded, taught)[0], torch.tensor([[before, before + 1, 0, 9.0]])])
    answer = task.decode([found], encoded)[0]
    assert isinstance(answer, EntityPrediction)
    assert [one.text for one in answer.entities] == ["Anna", "Peter Anna"]
