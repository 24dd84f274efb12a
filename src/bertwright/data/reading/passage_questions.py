"""Question generation from a file in the form of SQuAD: an answer and the sentences around it to its question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bertwright.data.examples import Example, Where
from bertwright.text.sentences import split_sentences

_AROUND = 400  # letters of a passage that are kept, whole sentences, the one with the answer always
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def is_passage(fields: Any) -> bool:
    """Whether a row is an article of such a file."""
    return isinstance(fields, dict) and isinstance(fields.get("paragraphs"), list)


def questions_of(where: Where, article: Any) -> Iterator[Example]:
    """An example for each question that has an answer: `text` the answer, `text_b` its surroundings, `target` the
    question. `where` is of the article; questions are known by their ids.
    """
    for paragraph in article["paragraphs"]:
        passage = str(paragraph.get("context", ""))
        for question in paragraph.get("qas", ()):
            answers = question.get("answers") or ()
            if question.get("is_impossible") or not answers:
                continue
            answer = str(answers[0].get("text", ""))
            start = int(answers[0].get("answer_start", -1))
            if passage[start : start + len(answer)] != answer:  # some files count otherwise
                start = passage.find(answer)
            place = Where(f"{where.source}#{question.get('id', '?')}", where.line)
            target = str(question.get("question", "")).strip()
            yield Example(answer, None, place, around(passage, max(start, 0), len(answer)), target=target)


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
    return len(text) + len(_HAN.findall(text))
