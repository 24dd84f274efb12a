"""Question generation from a file in the form of SQuAD: an answer and the sentences around it to its question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bertwright.data.answers import Written
from bertwright.data.examples import Example, Where
from bertwright.errors import BertwrightError
from bertwright.text.han import count_han
from bertwright.text.sentences import split_sentences
from bertwright.wording import Phrase, shown

_AROUND = 400  # letters of a passage that are kept, whole sentences, the one with the answer always


def is_passage(fields: Any) -> bool:
    """Whether a row is an article of such a file."""
    return isinstance(fields, dict) and isinstance(fields.get("paragraphs"), list)


def form_of_questions(fields: Any) -> str:
    """What data of question answering an object is, by the name of the collection that has its form; else empty."""
    if not isinstance(fields, Mapping):
        return ""
    if is_passage(fields):
        return "SQuAD"
    if isinstance(fields.get("qas"), list):
        return "CMRC" if "context_text" in fields else "SQuAD"
    is_flat = {"context", "question"} <= fields.keys() and {"answers", "answer", "answer_start"} & fields.keys()
    return "SQuAD" if is_flat and not {"label", "labels"} & fields.keys() else ""


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
            start = _start_of(answer, passage, first.get("answer_start"))
            if start < 0:
                if astray is None:
                    raise BertwrightError(
                        "BW613", where=place, reason=Phrase("'{answer}' is not in its passage", answer=answer[:40])
                    )
                astray.append(place)
                continue
            target = str(question.get("question") or "").strip()
            yield Example(answer, Written(target), place, around(passage, start, len(answer)))


def _start_of(answer: str, passage: str, said: Any) -> int:
    """Where an answer begins; -1 where it is not there. Some files count in their own way."""
    is_there = isinstance(said, int) and said >= 0 and passage.startswith(answer, said)
    return said if is_there else passage.find(answer)


def _listed(of: Mapping[str, Any], key: str, where: Where) -> list[Mapping[str, Any]]:
    """The objects under `key`."""
    found = of.get(key)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise _of_another_form(of, Phrase("no list of objects under '{key}'", key=key), where)
    return found


def _text(of: Mapping[str, Any], key: str, where: Where) -> str:
    found = of.get(key)
    if not isinstance(found, str):
        raise _of_another_form(of, Phrase("no text under '{key}'", key=key), where)
    return found


def _of_another_form(of: Mapping[str, Any], missing: Phrase, where: Where) -> BertwrightError:
    return BertwrightError(
        "BW613", where=where, reason=Phrase("{missing}; there are: {keys}", missing=missing, keys=shown(of) or "-")
    )


def around(passage: str, start: int, length: int, room: int = _AROUND) -> str:
    """Whole sentences of `passage` around `passage[start : start + length]`, up to `room` letters, of which a Han
    character, being a token of its own, counts for two.
    """
    bounds = _bounds_of(split_sentences(passage), passage)
    if not bounds:
        return passage
    first = last = next((i for i, (_, end) in enumerate(bounds) if end > start), len(bounds) - 1)
    while last + 1 < len(bounds) and bounds[last][1] < start + length:
        last += 1

    def part(pair: tuple[int, int]) -> str:
        return passage[bounds[pair[0]][0] : bounds[pair[1]][1]]

    best: tuple[int, int] | None = first, last
    while best is not None:
        first, last = best
        wider = [(max(first - 1, 0), last), (first, min(last + 1, len(bounds) - 1))]
        fitting = [pair for pair in wider if pair != (first, last) and _size(part(pair)) <= room]
        # Before and after by turns: the shorter side grows.
        best = min(fitting, key=lambda pair: (len(part(pair)), pair), default=None)
    return part((first, last))


def _bounds_of(sentences: Iterable[str], passage: str) -> list[tuple[int, int]]:
    bounds, at = [], 0
    for sentence in sentences:
        begin = passage.find(sentence, at)
        at = begin + len(sentence)
        bounds.append((begin, at))
    return bounds


def _size(text: str) -> int:
    return len(text) + count_han(text)
