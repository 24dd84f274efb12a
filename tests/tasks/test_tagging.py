"""Tagging: texts to units and back, windows, the loss, and the probability of an entity against its definition."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertwright import BertCrfForTokenClassification, BertForTokenClassification, BertTokenizer
from bertwright.data.answers import Label, Marked, Span
from bertwright.data.examples import Example, Where, spans_of
from bertwright.data.ragged import Ragged
from bertwright.data.reading.tables import Columns
from bertwright.data.tagged.clusters import is_inside_cluster
from bertwright.data.tagged.encoded_units import EncodedUnits, choose_inputs
from bertwright.data.tagged.schemes import Scheme, parse_tag, read_entities, spell_tag, tag_set, write_tags
from bertwright.data.tagged.span_sources import read_spans
from bertwright.data.tagged.units import span_of_units, trim, units_of
from bertwright.data.targets import Targets
from bertwright.data.windows import Long, Reading
from bertwright.errors import BertwrightError
from bertwright.model.crf.linear_chain import LinearChainCrf
from bertwright.model.tagger import masks_for
from bertwright.tasks.entities.entities import EntityPrediction
from bertwright.tasks.entities.span_pointing import SpanPointing
from bertwright.tasks.entities.tag_decoding import Reader
from bertwright.tasks.entities.tagging import Tagging

WHOLE = Reading(100_000, "head", 0)


@pytest.fixture(scope="session")
def tokenizer(tagger_model: Path) -> BertTokenizer:
    return BertTokenizer.from_pretrained(tagger_model)


def example(text: str, *spans: tuple[int, int, str]) -> Example:
    return Example(text, Marked(tuple(Span(*one) for one in spans)), Where("x", 1))


def taken(targets: Targets, members: Sequence[int]) -> Tensor:
    """The targets of some inputs."""
    found = targets.take(np.array(members))
    assert isinstance(found, Tensor)
    return found


def perfect_scores(task: Tagging, encoded: EncodedUnits, examples: Sequence[Example]) -> list[Tensor]:
    """What a model without a mistake would score."""
    number = {tag: index for index, tag in enumerate(task.tags)}
    rows = []  # of each text
    for units, text in zip(encoded.units, examples):
        spans = [span_of_units(units, trim(text.text, span)) for span in spans_of(text) or ()]
        tags = write_tags([span for span in spans if span is not None], len(units), task.scheme)
        rows.append(20.0 * torch.eye(len(task.tags))[[number[spell_tag(tag, task.scheme)] for tag in tags]])
    scores = []
    for one, owner in zip(encoded.inputs, encoded.owners.tolist()):
        at = one.word_ids >= 0
        scores.append(torch.zeros(len(one), len(task.tags)))
        scores[-1][torch.from_numpy(at)] = rows[owner][one.word_ids[at].tolist()]
    return scores


def answers(task: Tagging, encoded: EncodedUnits, scores: list[Tensor]) -> list[EntityPrediction]:
    crf = LinearChainCrf(len(task.tags), **masks_for(task.tags))
    ready = replace(task, crf=crf if task.head == "crf" else None)
    return [one for one in ready.decode(scores, encoded) if isinstance(one, EntityPrediction)]


UNICODE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("abXY 012，。李明上\u0301\u200d\ufe0f👍🏽👨👩🇩🇪𠮷𪚥ＡＢ１\u3000\t\n\u0000\u200b\ufffdé한กขا"),
    ).filter(lambda c: not "\ud800" <= c <= "\udfff"),
    min_size=1,
    max_size=40,
)


@st.composite
def tagged_texts(draw: st.DrawFn) -> Example:
    """A random text with random entities that cut no character and do not overlap."""
    text = draw(UNICODE.filter(lambda one: one.strip() != ""))
    whole = [place for place in range(len(text) + 1) if not is_inside_cluster(text, place)]
    cuts = sorted(draw(st.sets(st.sampled_from(whole), max_size=6)))
    spans = []
    for start, end in itertools.pairwise(cuts):
        span = trim(text, Span(start, end, draw(st.sampled_from(["A", "B"]))))
        cut = is_inside_cluster(text, span.start) or is_inside_cluster(text, span.end)
        if span.start < span.end and not cut and draw(st.booleans()):
            spans.append((span.start, span.end, span.type))
    return example(text, *spans)


@given(one=tagged_texts(), scheme=st.sampled_from(["bio", "bioes"]), head=st.sampled_from(["crf", "softmax"]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_entity_survives_and_every_answer_is_a_slice(
    tokenizer: BertTokenizer, one: Example, scheme: Scheme, head: str
) -> None:
    task = Tagging(("A", "B"), "character", head, scheme)  # type: ignore[arg-type]
    encoded = task.encode(tokenizer, [one], WHOLE)
    assert isinstance(encoded, EncodedUnits)
    assert sorted(encoded.inputs[0].word_ids[encoded.inputs[0].word_ids >= 0].tolist()) == list(
        range(len(encoded.units[0]))
    )
    found = answers(task, encoded, perfect_scores(task, encoded, [one]))[0]
    assert tuple(Span(span.start, span.end, span.type) for span in found.entities) == spans_of(one)
    assert found.readings["strict"] == spans_of(one)
    for entity in found.entities:
        assert entity.text == one.text[entity.start : entity.end]
        assert entity.score > 0.9


def long_text(characters: int) -> Example:
    """Names at known places in a long text of all kinds of characters."""
    parts: list[str] = []
    spans, length = [], 0
    fillers = ["很 好 。", "it rains 🇩🇪 again .", "👨‍👩‍👧 e\u0301 𠮷 ＡＢ", "\u200b\u0000 x"]
    while length < characters:
        filler = fillers[len(parts) % len(fillers)] + " "
        name = ["Anna Miller", "李明", "𠮷野家"][len(parts) % 3]
        spans.append((length + len(filler), length + len(filler) + len(name), "AB"[len(parts) % 2]))
        parts.append(filler + name)
        length += len(parts[-1])
    return example("".join(parts), *spans)


@pytest.mark.parametrize("unit", ["token", "word", "character"])
@pytest.mark.parametrize("limit", [16, 64, 512])
def test_a_text_of_20000_characters_keeps_every_entity_in_windows(
    tokenizer: BertTokenizer, unit: str, limit: int
) -> None:
    one = long_text(20_000)
    task = Tagging(("A", "B"), unit)  # type: ignore[arg-type]
    encoded = task.encode(tokenizer, [one], Reading(limit, "window", limit // 4))
    assert isinstance(encoded, EncodedUnits)
    assert len(encoded.inputs) > 20_000 / 6 / limit
    assert max(map(len, encoded.inputs)) == limit
    found = answers(task, encoded, perfect_scores(task, encoded, [one]))[0]
    spans = spans_of(one) or ()
    if unit != "character":
        # 'Miller' and what follows without a space are one word: such entities cannot be said in words.
        spans = tuple(s for s in spans if span_of_units(encoded.units[0], s) is not None)
        assert len(spans) > 100
    assert tuple(Span(span.start, span.end, span.type) for span in found.entities) == spans
    assert not found.truncated


@pytest.mark.parametrize("long", ["head", "head+tail"])
def test_what_is_cut_is_missed_and_said(tokenizer: BertTokenizer, long: str) -> None:
    one = example("Anna lives in Oslo . " + "it rains . " * 30 + "Peter", (0, 4, "A"), (14, 18, "B"), (351, 356, "A"))
    task = Tagging(("A", "B"))
    encoded = task.encode(tokenizer, [one], Reading(24, long, 0))  # type: ignore[arg-type]
    found = answers(task, encoded, perfect_scores(task, encoded, [one]))[0]
    assert found.truncated
    expected = {"head": ["Anna", "Oslo"], "head+tail": ["Anna", "Oslo", "Peter"]}[long]
    assert [entity.text for entity in found.entities] == expected
    scores = task.score([found], [one])
    assert scores["recall"] == pytest.approx(len(expected) / 3)


def test_each_unit_is_read_where_it_has_most_context(tokenizer: BertTokenizer) -> None:
    one = example("it rains again . " * 20)
    task = Tagging(("A",))
    encoded = task.encode(tokenizer, [one], Reading(22, "window", 8))
    assert isinstance(encoded, EncodedUnits)
    choice = choose_inputs(encoded)[0]
    count = len(encoded.units[0])
    for unit in range(count):
        best: float = -1.0
        for parts in encoded.inputs:
            for position in np.flatnonzero(parts.word_ids == unit):
                left = np.inf if 0 in parts.word_ids else position
                right = np.inf if count - 1 in parts.word_ids else len(parts) - 1 - position
                best = max(best, float(min(left, right)))
        chosen = encoded.inputs[choice.inputs[unit]]
        assert chosen.word_ids[choice.positions[unit]] == unit
        left = np.inf if 0 in chosen.word_ids else choice.positions[unit]
        right = np.inf if count - 1 in chosen.word_ids else len(chosen) - 1 - choice.positions[unit]
        assert min(left, right) == best


def test_the_first_piece_speaks_and_special_tokens_never(tokenizer: BertTokenizer) -> None:
    one = example("Anna xyz 李明", (0, 4, "PER"), (9, 11, "PER"))
    task = Tagging(("PER",))
    encoded = task.encode(tokenizer, [one], WHOLE)
    assert tokenizer.convert_ids_to_tokens(encoded.inputs[0].input_ids.tolist()) == [
        "[CLS]", "anna", "x", "##y", "##z", "李", "明", "[SEP]",
    ]  # fmt: skip
    row = taken(task.targets([one], encoded), [0])
    assert row.tolist() == [-100, 1, 0, -100, -100, 1, 2, -100]


def test_a_part_of_an_entity_is_not_taught(tokenizer: BertTokenizer) -> None:
    """Two windows of 6 words: the entity of three words is whole in the second one only."""
    one = example("it rains it rains Anna Miller Peter again it rains", (18, 35, "PER"))
    task = Tagging(("PER",))
    encoded = task.encode(tokenizer, [one], Reading(6 + 2, "window", 1))
    rows = [taken(task.targets([one], encoded), [index]).tolist() for index in range(len(encoded.inputs))]
    assert [row[1:-1] for row in rows] == [[0, 0, 0, 0, -100, -100], [1, 2, 2, 0, 0, 0]]
    assert task.weights([one], encoded, "none").tolist() == [5, 5]  # ten words, two of them twice


@pytest.mark.parametrize("kind", [Tagging, SpanPointing])
@pytest.mark.parametrize(
    ("reading", "told"),
    [
        (Reading(24, "window", 6), ["'Peter Anna Peter Anna Peter Anna Peter Anna Peter Anna Pete…'"]),
        (Reading(100, "window", 30), []),
        (Reading(24, "head", 0), ["'Peter Anna Peter Anna Peter Anna Peter Anna Peter Anna Pete…'", "'Oslo'"]),
        (WHOLE, []),
    ],
)
def test_an_entity_that_no_input_holds_is_told_and_not_learnt(
    tokenizer: BertTokenizer,
    caplog: pytest.LogCaptureFixture,
    kind: type[Tagging | SpanPointing],
    reading: Reading,
    told: list[str],
) -> None:
    text = "it rains . " * 5 + "Peter Anna " * 12 + "it rains . " * 20 + "Oslo"
    one = example(text, (0, 2, "A"), (55, 55 + 131, "A"), (len(text) - 4, len(text), "A"))
    task = kind(("A",))
    encoded = task.encode(tokenizer, [one], reading)
    with caplog.at_level(logging.WARNING, "bertwright"):
        targets = taken(task.targets([one], encoded), range(len(encoded.inputs)))
    shown = caplog.text.partition("not learnt: ")[2].strip()
    assert shown == ", ".join(f"x:1 {name}" for name in told)
    counted = {0: "", 1: "1 entity is in no input as a whole", 2: "2 entities are in no input as a whole"}[len(told)]
    assert counted in caplog.text
    assert bool(told) == bool(caplog.text)
    if kind is Tagging:
        assert ((targets == 2).sum() > 0) == (not told), "the inside of the long one"


@pytest.mark.parametrize(
    ("unit", "before", "smaller"), [("word", "anti", "character"), ("token", "pro-", "word")], ids=["word", "token"]
)
def test_an_entity_within_a_unit_is_told_and_not_learnt(
    unit: str, before: str, smaller: str, tokenizer: BertTokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    one = example(f"{before}Oslo rains", (len(before), len(before) + 4, "LOC"))
    task = Tagging(("LOC",), unit=unit)  # type: ignore[arg-type]
    encoded = task.encode(tokenizer, [one], WHOLE)
    with caplog.at_level(logging.WARNING, "bertwright"):
        row = taken(task.targets([one], encoded), [0])
    assert f"1 entity begins or ends within a {unit}: not learnt" in caplog.text
    assert f"(unit={smaller} reads what lies within)" in caplog.text
    assert {tag for tag in row.tolist() if tag != -100} == {0}
    assert Tagging.from_examples([one], "x").unit == smaller


def random_reader(seed: int, scheme: Scheme, head: str) -> tuple[Reader, LinearChainCrf, list[str]]:
    generator = torch.Generator().manual_seed(seed)
    tags = tag_set(["A", "B"], scheme)[: 5 if scheme == "bio" else None]
    crf = LinearChainCrf(len(tags), **(masks_for(tags) if head == "crf" else {}))
    if head == "crf":
        for parameter in crf.parameters():
            torch.nn.init.normal_(parameter, generator=generator)
    return Reader(tags, scheme, crf if head == "crf" else None), crf, tags


@pytest.mark.parametrize("scheme", ["bio", "bioes"])
@pytest.mark.parametrize("seed", range(4))
def test_the_score_of_an_entity_is_its_probability(seed: int, scheme: Scheme) -> None:
    """Enumerate all tag sequences, read the entities of each: the sum over those that have exactly this entity."""
    reader, crf, tags = random_reader(seed, scheme, "crf")
    generator = torch.Generator().manual_seed(100 + seed)
    lengths = [1, 2, 3, 4]
    emissions = 2 * torch.randn(sum(lengths), len(tags), generator=generator)
    emissions[:, 0] -= 1.5
    found = reader.read(emissions, lengths)
    transitions, start, end = crf._scores()
    checked = 0
    for part, one in zip(emissions.split(lengths), found):
        share: dict[tuple[int, int, str], float] = {}
        total = 0.0
        for path in itertools.product(range(len(tags)), repeat=len(part)):
            score = start[path[0]] + end[path[-1]] + sum(part[t, tag] for t, tag in enumerate(path))
            score += sum(transitions[a, b] for a, b in itertools.pairwise(path))
            weight = float(torch.as_tensor(score).double().exp().detach())
            total += weight
            if weight:
                parsed = [parse_tag(tags[tag], scheme) for tag in path]
                for span in read_entities([tag for tag in parsed if tag is not None]):
                    key = (span.start, span.end, span.type)
                    share[key] = share.get(key, 0.0) + weight
        for entity in one.entities:
            assert entity.score == pytest.approx(share[entity.start, entity.end, entity.type] / total, rel=1e-4)
            checked += 1
        assert list(one.readings["strict"]) == [Span(e.start, e.end, e.type) for e in one.entities]
    assert checked


def test_the_score_of_an_ill_formed_entity_of_a_softmax_is_that_of_its_tags() -> None:
    tags = ["O", "B-A", "I-A"]
    emissions = torch.tensor([[2.0, 0, 1], [0, 0, 3.0], [0, 1, 2.0], [1.0, 0, 0]])
    found = Reader(tags, "bio", None).read(emissions, [4])[0]
    assert [(one.start, one.end, one.type) for one in found.entities] == [(1, 3, "A")]
    p = emissions.softmax(1)
    # It begins at I, so O is before it; after it stands O or B.
    expected = p[0, 0] * p[1, 2] * p[2, 2] * (p[3, 0] + p[3, 1])
    assert found.entities[0].score == pytest.approx(float(expected), rel=1e-5)
    assert found.readings["strict"] == []


@pytest.mark.parametrize("head", ["crf", "softmax"])
def test_the_loss_is_a_mean_over_units(tagger_model: Path, tokenizer: BertTokenizer, head: str) -> None:
    examples = [example("Anna lives in Oslo .", (0, 4, "PER"), (14, 18, "LOC")), example("it rains xyz again .")]
    task = Tagging(("LOC", "PER"), head=head)  # type: ignore[arg-type]
    model = task.model_class.load(tagger_model, **task.config_changes())
    if isinstance(model, BertCrfForTokenClassification):
        with torch.no_grad():
            model.crf.transitions.normal_()
    encoded = task.encode(tokenizer, examples, WHOLE)
    targets = taken(task.targets(examples, encoded), [0, 1])
    weights = task.weights(examples, encoded, "none")
    assert weights.tolist() == [5, 5]
    batch = Ragged.from_encoded(encoded.inputs)
    share = torch.from_numpy(weights / weights.sum()).float()
    loss = task.loss(model, batch, targets, share)["loss"]
    scores = model.scores(batch)
    kept = targets != -100
    tags = targets[kept]
    if isinstance(model, BertCrfForTokenClassification):
        expected = model.crf.loss(scores[kept], tags, torch.tensor([0, 5, 10]))
    else:
        assert isinstance(model, BertForTokenClassification)
        expected = torch.nn.functional.cross_entropy(scores[kept], tags)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("code", "examples"),
    [
        ("BW245", [example("上海大学", (0, 4, "ORG"), (0, 2, "LOC"))]),
        ("BW245", [example("abcd", (0, 3, "A"), (2, 4, "A"))]),
        ("BW246", [example("nothing"), example("here")]),
        ("BW254", [Example("a text", Label("label"), Where("x", 1))]),
    ],
)
def test_mistakes(code: str, examples: list[Example]) -> None:
    with pytest.raises(BertwrightError) as error:
        Tagging.from_examples(examples, "x")
    assert error.value.code == code
    if code == "BW245":
        assert 'task="spans"' in str(error.value)


def test_a_type_that_training_did_not_have_is_named() -> None:
    task = Tagging(("LOC", "PER"))
    with pytest.raises(BertwrightError, match=r"x:1: the type 'PERS' is not one of: LOC, PER \(PER\?\)"):
        task.check([example("Anna", (0, 4, "PERS"))])


def test_units_of_a_text_without_letters_have_pieces(tokenizer: BertTokenizer) -> None:
    one = example("\u0000 \u200b\u0301 \ufffd x")
    encoded = Tagging(("A",), unit="character").encode(tokenizer, [one], WHOLE)
    assert isinstance(encoded, EncodedUnits)
    units = units_of(one.text, "character")
    assert (encoded.inputs[0].word_ids >= 0).sum() == len(units)
    assert encoded.inputs[0].unknown >= len(units) - 1
    inside = encoded.inputs[0].offsets[encoded.inputs[0].word_ids >= 0]
    assert (inside[:, 0] >= units[:, 0]).all()
    assert (inside[:, 1] <= units[:, 1]).all()


def test_a_stream_of_tagged_rows_leaves_none_out(tokenizer: BertTokenizer, tmp_path: Path) -> None:
    """Else the answers would stand beside other rows than theirs."""
    rows: list[dict[str, object]] = [
        {"text": "Anna sings", "label": [[0, 4, "PER"]]},
        {"text": " ", "label": []},
        {"tokens": ["in", "Oslo"], "tags": ["O", "B-LOC"]},
        {"tokens": [], "tags": []},
        {"data": {"text": "it rains"}, "annotations": []},
        {"text": "again"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    task = Tagging(("LOC", "PER"))
    examples = list(task.stream(path, Columns())[1])
    assert [one.text for one in examples] == ["Anna sings", " ", "in Oslo", "", "it rains", "again"]
    assert [one.where.line for one in examples] == [1, 2, 3, 4, 5, 6]
    encoded = task.encode(tokenizer, examples, Reading(64, "window", 8))
    assert encoded.owners.tolist() == [0, 1, 2, 3, 4, 5]
    # Whoever trains gets no rows without text, and is told of them.
    table = read_spans(path, labelled=False)
    assert [one.text for one in table.examples] == ["Anna sings", "in Oslo", "it rains", "again"]
    assert [place.line for place in table.empty] == [2, 4]


@pytest.mark.parametrize("long", ["head", "head+tail"])
def test_what_was_cut_off_weighs_nothing(tokenizer: BertTokenizer, long: Long) -> None:
    examples = [example("it rains again " * 100, (0, 2, "X")), example("it rains")]
    task = Tagging(("X",))
    encoded = task.encode(tokenizer, examples, Reading(12, long, 0))
    assert task.weights(examples, encoded, "none").tolist() == [10, 2]
