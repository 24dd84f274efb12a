"""Question generation from a file in the form of SQuAD: an answer and the sentences around it to its question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bertwright.data.answers import Written
from bertwright.data.examples import Example, Where
from bertwright.errors import BertwrightError, shown
from bertwright.text.han import count_han
from bertwright.text.sentences import split_sentences

_AROUND = 400  # letters of a passage that are kept, whole sentences, the one with the answer always


def is_passage(fields: Any) -> bool:
    """Whether a row is an article of such a file."""
    return isinstance(fields, dict) and isinstance(fields.get("paragraphs"), list)


def questions_of(where: Where, article: Any, astray: list[Where] | None = None) -> Iterator[Example]:
    """An example for each question that has an answer: `text` the answer, `text_b` its surroundings, `target` the
    question. `where` is of the article; questions are known by their ids.

    Args:
        where, article: a row.
        astray: gets the places of questions whose answer is not in the passage, which are left out; None: they are an
            error.

    Raises:
        BertwrightError: BW613 the article has another form, or an answer that is not in its passage.
    """
    for paragraph in _listed(article, "paragraphs", where):
        passage = _text(paragraph, "context", where)
        for question in _listed(paragraph, "qas", where):
            place = Where(f"{where.source}#{question.get('id', '?')}", where.line)
            if question.get("is_impossible") or not question.get("answers"):
                continue
            first = _listed(question, "answers", place)[0]
            answer = _text(first, "text", place)
            start = first.get("answer_start")
            if not isinstance(start, int) or start < 0 or passage[start : start + len(answer)] != answer:
                start = passage.find(answer)  # some files count otherwise, some do not at all
            if start < 0:
                if astray is None:
                    raise BertwrightError("BW613", where=place, reason=f"'{answer[:40]}' is not in its passage")
                astray.append(place)
                continue
            target = str(question.get("question") or "").strip()
            yield Example(answer, Written(target), place, around(passage, start, len(answer)))


def _listed(of: Mapping[str, Any], key: str, where: Where) -> list[Mapping[str, Any]]:
    """The objects under `key`."""
    found = of.get(key)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise _of_another_form(of, f"no list of objects under '{key}'", where)
    return found


def _text(of: Mapping[str, Any], key: str, where: Where) -> str:
    found = of.get(key)
    if not isinstance(found, str):
        raise _of_another_form(of, f"no text under '{key}'", where)
    return found


def _of_another_form(of: Mapping[str, Any], missing: str, where: Where) -> BertwrightError:
    return BertwrightError("BW613", where=where, reason=f"{missing}; there are: {shown(of) or '-'}")


def around(passage: str, start: int, length: int, room: int = _AROUND) -> str:
    """Whole sentences of `passage` around `passage[start : start + length]`, up to `room` letters, of which a Han
    character, being a token of its own, counts for two.
    """
    spans, at = [], 0
    for sentence in split_sentences(passage):
        begin = passage.find(sentence, at)
        at = begin + len(sentence)
        spans.append((begin, at))
    if not spans:
        return passage
    first = last = next((i for i, (_, end) in enumerate(spans) if end > start), len(spans) - 1)
    while last + 1 < len(spans) and spans[last][1] < start + length:
        last += 1
    while True:
        wider = [pair for pair in ((first - 1, last), (first, last + 1)) if pair[0] >= 0 and pair[1] < len(spans)]
        fitting = [pair for pair in wider if _size(passage[spans[pair[0]][0] : spans[pair[1]][1]]) <= room]
        if not fitting:
            return passage[spans[first][0] : spans[last][1]]
        # Before and after by turns: the shorter side grows.
        first, last = min(fitting, key=lambda pair: (spans[pair[1]][1] - spans[pair[0]][0], pair))


def _size(text: str) -> int:
    return len(text) + count_han(text)
