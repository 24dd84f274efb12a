"""Schemes: what is written in tags is read again, in each of them, and ill-formed tags are repaired and counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertwright.data.answers import Span
from bertwright.data.examples import Where
from bertwright.data.tagged.scheme_search import SchemeSearch
from bertwright.data.tagged.schemes import (
    SCHEMES,
    Scheme,
    Tag,
    ill_formed,
    may_follow,
    parse_tag,
    read_entities,
    read_strictly,
    spell_tag,
    tag_set,
    write_tags,
)

TAGS = {
    "iob1": "I-P I-P O I-L B-L I-P",
    "bio": "B-P I-P O B-L B-L B-P",
    "bioes": "B-P E-P O S-L S-L S-P",
    "bmes": "B-P E-P O S-L S-L S-P",
    "bilou": "B-P L-P O U-L U-L U-P",
    "io": "I-P I-P O I-L I-L I-P",
}
ENTITIES = [Span(0, 2, "P"), Span(3, 4, "L"), Span(4, 5, "L"), Span(5, 6, "P")]


def parsed(text: str, scheme: Scheme) -> list[Tag]:
    tags = [parse_tag(tag, scheme) for tag in text.split()]
    assert None not in tags
    return [tag for tag in tags if tag is not None]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_is_written_and_read(scheme: Scheme) -> None:
    tags = write_tags(ENTITIES, 6, scheme)
    assert " ".join(spell_tag(tag, scheme) for tag in tags) == TAGS[scheme]
    expected = ENTITIES if scheme != "io" else [Span(0, 2, "P"), Span(3, 5, "L"), Span(5, 6, "P")]
    assert read_entities(parsed(TAGS[scheme], scheme)) == expected
    assert ill_formed(tags, scheme) == []
    assert {spell_tag(tag, scheme) for tag in tags} <= set(tag_set(["L", "P"], scheme))


def test_three_tokens_have_a_middle() -> None:
    assert [spell_tag(tag, "bmes") for tag in write_tags([Span(0, 4, "P")], 4, "bmes")] == ["B-P", "M-P", "M-P", "E-P"]
    assert [spell_tag(tag, "bilou") for tag in write_tags([Span(0, 3, "P")], 3, "bilou")] == ["B-P", "I-P", "L-P"]


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Span], int]:
    length = draw(st.integers(1, 12))
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    spans = [Span(a, b, draw(st.sampled_from("PLO"))) for a, b in zip(cuts, cuts[1:]) if draw(st.booleans())]
    return spans, length


@given(sentences(), st.sampled_from([one for one in SCHEMES if one != "io"]))
@settings(max_examples=300, deadline=None)
def test_every_entity_survives_writing_and_reading(sentence: tuple[list[Span], int], scheme: Scheme) -> None:
    spans, length = sentence
    tags = write_tags(spans, length, scheme)
    spelled = [spell_tag(tag, scheme) for tag in tags]
    assert [parse_tag(tag, scheme) for tag in spelled] == tags
    assert read_entities(tags) == spans
    assert read_strictly(tags, scheme) == spans
    assert ill_formed(tags, scheme) == []


@given(st.lists(st.sampled_from(["O", "B-P", "I-P", "E-P", "S-P", "B-L", "I-L", "E-L", "S-L"]), max_size=10))
@settings(max_examples=300, deadline=None)
def test_what_is_well_formed_reads_the_same_strictly_and_not(tags: list[str]) -> None:
    read = [tag for text in tags if (tag := parse_tag(text, "bioes")) is not None]
    found = read_entities(read)
    same = read_strictly(read, "bioes") == found and write_tags(found, len(read), "bioes") == read
    assert (ill_formed(read, "bioes") == []) == same


@pytest.mark.parametrize(
    ("tags", "scheme", "places"),
    [
        ("O I-P I-P", "bio", [1]),
        ("B-P I-L O", "bio", [1]),
        ("I-P O", "bioes", [0, 1]),
        ("B-P O", "bioes", [1]),
        ("O B-P", "bioes", [1]),
        ("E-P S-P", "bmes", [0]),
        ("I-P B-L", "iob1", []),
    ],
)
def test_ill_formed_tags_have_their_places(tags: str, scheme: Scheme, places: list[int]) -> None:
    assert ill_formed(parsed(tags, scheme), scheme) == places


def test_steps_of_a_well_formed_sequence() -> None:
    begin, inside, end, single, outside = (Tag(letter, "P") for letter in "BIES_")
    outside = Tag("O")
    assert may_follow(None, begin, "bio")
    assert not may_follow(None, inside, "bio")
    assert may_follow(begin, None, "bio")
    assert not may_follow(begin, None, "bioes")
    assert may_follow(end, outside, "bioes")
    assert not may_follow(single, end, "bioes")
    assert not may_follow(begin, Tag("I", "L"), "bio")


@pytest.mark.parametrize(
    ("text", "scheme", "expected"),
    [
        ("PER", "io", Tag("I", "PER")),
        ("B_PER", "bio", Tag("B", "PER")),
        ("B-PER-X", "bio", Tag("B", "PER-X")),
        ("M-PER", "bio", None),
        ("b-PER", "bio", None),
        ("B-", "bio", None),
        ("PER", "bio", None),
        ("", "io", None),
    ],
)
def test_a_tag_is_parsed_in_its_scheme(text: str, scheme: Scheme, expected: Tag | None) -> None:
    assert parse_tag(text, scheme) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I-P I-P O I-L B-L O", "iob1"),
        ("B-P I-P O B-L", "bio"),
        ("B-P O B-P", "bio"),
        ("B-P I-P E-P O S-P", "bioes"),
        ("B-P M-P E-P O S-P", "bmes"),
        ("B-P I-P L-P O U-P", "bilou"),
        ("P P O L", "io"),
        ("I-P I-P O I-L", "iob1"),
        ("O O", "bio"),
    ],
)
def test_the_scheme_is_found(text: str, expected: Scheme) -> None:
    search = SchemeSearch()
    tags = text.split()
    search.add(tags, [Where("x", line) for line in range(1, len(tags) + 1)])
    assert search.scheme("x") == expected
