"""Question generation from a file in the form of SQuAD: an answer and the sentences around it to its question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bertwright.data.answers import Written
from bertwright.data.examples import Example, Where
from bertwright.errors import BertwrightError
from bertwright.text.han import count_han
from bertwright.text.sentences import split_sentences
from bertwright.wording import Phrase, shown

_AROUND = 400  # letters of a passage that are kept, whole sentences, the one with the answer always


# What CMRC calls the parts of a question, and what SQuAD calls them.
_CMRC = {"context": "context_text", "question": "query_text", "id": "query_id"}


@dataclass(slots=True)
class LeftOut:
    """Questions that give no example.

    Attributes:
        astray: those whose answer is not in its passage.
        unanswered: those that have none, or are said to be impossible.
        answer: the first that is astray.
    """

    astray: list[Where] = field(default_factory=list)
    unanswered: list[Where] = field(default_factory=list)
    answer: str = ""

    def refusal(self, source: str) -> BertwrightError:
        """BW273, or BW205 where there was no question at all."""
        count = len(self.astray) + len(self.unanswered)
        if not count:
            return BertwrightError("BW205", source=source)
        reason = Phrase("they have no answers, or are marked as impossible")
        cause = Phrase("a test set without answers, or a part of a collection that has only such questions")
        if self.astray:
            where = self.astray[0]
            reason = Phrase("the answer '{answer}' ({where}) is not in its passage", answer=self.answer, where=where)
            if self.astray[1:]:
                reason = Phrase("{reason}, nor are {n} others", reason=reason, n=len(self.astray) - 1)
            cause = Phrase(
                "passages that were changed or translated after the answers were marked, or the wrong passages"
            )
        return BertwrightError("BW273", source=source, count=count, reason=reason, cause=cause)


def is_passage(fields: Any) -> bool:
    """Whether a row is an article of such a file, or a paragraph of its own (CMRC)."""
    return isinstance(fields, dict) and (isinstance(fields.get("paragraphs"), list) or _is_paragraph(fields))


def _is_paragraph(fields: Mapping[str, Any]) -> bool:
    return isinstance(fields.get("qas"), list) and not {"context", "context_text"}.isdisjoint(fields)


def form_of_questions(fields: Any) -> str:
    """What data of question answering an object is, by the name of the collection that has its form; else empty."""
    if not isinstance(fields, Mapping):
        return ""
    if isinstance(fields.get("paragraphs"), list):
        return "SQuAD"
    if isinstance(fields.get("qas"), list):
        return "CMRC" if "context_text" in fields else "SQuAD"
    is_flat = {"context", "question"} <= fields.keys() and {"answers", "answer", "answer_start"} & fields.keys()
    return "SQuAD" if is_flat and not {"label", "labels"} & fields.keys() else ""


def questions_of(where: Where, article: Any, left_out: LeftOut | None = None) -> Iterator[Example]:
    """An example for each question that has an answer: `text` the answer, `text_b` its surroundings, `target` the
    question. `where` is of the article; questions are known by their ids.

    Args:
        where, article: a row.
        left_out: gets the places of questions that give no example; None: an answer that is not in its passage is an
            error.

    Raises:
        BertwrightError: BW613 the article has another form, or an answer that is not in its passage.
    """
    for paragraph in [article] if _is_paragraph(article) else _listed(article, "paragraphs", where):
        passage = _text(paragraph, _key(paragraph, "context"), where)
        for question in _listed(paragraph, "qas", where):
            place = Where(f"{where.source}#{question.get(_key(question, 'id'), '?')}", where.line)
            if question.get("is_impossible") or not question.get("answers"):
                if left_out is not None:
                    left_out.unanswered.append(place)
                continue
            answer, said = _first_answer(question, place)
            start = _start_of(answer, passage, said)
            if start < 0:
                if left_out is None:
                    raise BertwrightError(
                        "BW613", where=place, reason=Phrase("'{answer}' is not in its passage", answer=answer[:40])
                    )
                left_out.astray.append(place)
                left_out.answer = left_out.answer or answer[:40]
                continue
            target = str(question.get(_key(question, "question")) or "").strip()
            yield Example(answer, Written(target), place, around(passage, start, len(answer)))


def _key(of: Mapping[str, Any], name: str) -> str:
    """What SQuAD calls `name`, as this object calls it."""
    return _CMRC[name] if _CMRC[name] in of and name not in of else name


def _first_answer(question: Mapping[str, Any], place: Where) -> tuple[str, Any]:
    """The answer and where it is said to begin; CMRC has plain texts, and no places."""
    answers = question["answers"]
    if isinstance(answers, list) and isinstance(answers[0], str):
        return answers[0], None
    first = _listed(question, "answers", place)[0]
    return _text(first, "text", place), first.get("answer_start")


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
