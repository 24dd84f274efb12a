"""Plain lines whose first word is a class: `sport The match was won`, `好评 味道很好`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, islice

from bertwright.data.reading.labelled_lines import first_word
from bertwright.data.reading.rows import Fields, Rows, cell_of
from bertwright.wording import said

_LOOKED_AT = 100
_FEWEST_LINES = 10
_FEWEST_OF_A_CLASS = 3
_MOST_CLASSES = 0.2  # as a share of the lines
# Words that begin ordinary sentences: lists of questions begin with a handful of words, too.
_ORDINARY = frozenset((
    "a", "an", "the", "this", "that", "these", "those", "i", "you", "he", "she", "it", "we", "they",
    "my", "your", "his", "her", "its", "our", "their", "what", "who", "whom", "whose", "how",
    "where", "when", "why", "which", "is", "are", "was", "were", "do", "does", "did", "can",
    "could", "will", "would", "should", "may", "in", "on", "at", "of", "for", "from", "to", "with",
    "and", "but", "or", "if", "as", "so", "not", "no", "there", "here", "name", "please", "我", "你",
    "他", "她", "它", "我们", "你们", "他们", "这", "那", "这个", "那个", "在", "有", "是", "为", "从", "不", "很",
    "也", "就", "请", "什么", "谁", "怎么", "如何", "为什么", "哪", "哪里", "哪个", "多少",
))  # fmt: skip


def with_class_words(rows: Rows) -> Rows:
    """Plain lines as pairs of a class and a text, where all of the first hundred begin with one of a few words.

    Only for data in which every text should have a label; whoever asks for answers gets whole lines.
    """
    if rows.format != "plain lines":
        return rows
    first = list(islice(rows.rows, _LOOKED_AT))
    again = chain(first, rows.rows)
    words = _class_words([_line(fields) for _, fields in first])
    if not words:
        return replace(rows, rows=again)
    remark = said("every line begins with its class, such as {one}", one=next(iter(words)))
    cut = ((where, first_word(_line(fields))) for where, fields in again)
    return replace(rows, format="labelled lines", names=("label", "text"), rows=cut, remarks=(remark,))


def _class_words(lines: list[str]) -> Counter[str]:
    filled = [line.split(maxsplit=1) for line in lines if line.strip()]
    if len(filled) < _FEWEST_LINES or any(len(parts) < 2 for parts in filled):
        return Counter()
    words = Counter(parts[0] for parts in filled)
    is_few = 2 <= len(words) <= _MOST_CLASSES * len(filled) and min(words.values()) >= _FEWEST_OF_A_CLASS
    return words if is_few and not any(word.casefold() in _ORDINARY for word in words) else Counter()


def _line(fields: Fields) -> str:
    return str(cell_of(fields, 0))
