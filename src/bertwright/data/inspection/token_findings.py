"""Tokens of tagged texts that look like something else than text: numbers, or tags of parts of speech."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bertwright.data.inspection.finding import Finding
from bertwright.data.reading.tables import Table
from bertwright.wording import said, shown

_LOOKED_AT = 2000  # texts
_NEARLY_ALL = 0.9
_FEWEST = 4  # words and numbers
_SHOWN = 4
# Penn Treebank, Universal Dependencies and Chinese Treebank; then the small letters of the People's Daily.
_TAGS = (
    "CC|CD|DT|EX|FW|IN|JJ|JJR|JJS|LS|MD|NN|NNS|NNP|NNPS|PDT|POS|PRP|PRP$|RB|RBR|RBS|RP|SYM|TO|UH|VB|VBD|VBG|VBN|"
    "VBP|VBZ|WDT|WP|WP$|WRB|ADJ|ADP|ADV|AUX|CCONJ|CONJ|DET|INTJ|NOUN|NUM|PART|PRON|PROPN|PUNCT|SCONJ|VERB|X|AD|"
    "AS|BA|CS|DEC|DEG|DER|DEV|ETC|LB|LC|MSP|NR|NT|OD|PN|PU|SB|SP|VA|VC|VE|VV|a|ad|an|b|c|d|f|h|i|j|k|l|m|n|nr|ns|"
    "nt|nx|nz|o|p|q|r|s|t|u|v|vd|vn|w|x|y|z"
)
_PARTS_OF_SPEECH = frozenset(_TAGS.split("|"))


def of_tagged(table: Table, name: str) -> list[Finding]:
    """What a model would learn to read instead of words, because the words stand in another column."""
    tokens = Counter(_tokens_of(table))
    words = sum(count for token, count in tokens.items() if any(map(str.isalpha, token)))
    numbers = sum(count for token, count in tokens.items() if _is_number(token))
    if words + numbers < _FEWEST:
        return []
    if numbers >= _NEARLY_ALL * (words + numbers):
        what = "{name}: the tokens are numbers ({listed}); a model reads them as text: put the words into column 1"
    elif _are_parts_of_speech(tokens, words):
        what = (
            "{name}: the tokens look like tags of parts of speech ({listed}); a model reads them as text: put the "
            "words into column 1"
        )
    else:
        return []
    listed = shown(token for token, _ in tokens.most_common(_SHOWN))
    return [Finding("no text", "warning", said(what, name=name, listed=listed), (table.examples[0].where,))]


def _tokens_of(table: Table) -> Iterator[str]:
    for one in table.examples[:_LOOKED_AT]:
        if one.tokens is not None:
            yield from (one.text[start:end] for start, end in one.tokens.tolist())


def _is_number(token: str) -> bool:
    return any(map(str.isdecimal, token)) and not any(map(str.isalpha, token))


def _are_parts_of_speech(tokens: Counter[str], words: int) -> bool:
    """Whether nearly all tokens with letters are such tags: several, and not only single letters, which are text."""
    known = {token: count for token, count in tokens.items() if token in _PARTS_OF_SPEECH}
    return sum(known.values()) >= _NEARLY_ALL * words and len(known) > 1 and max(map(len, known)) > 1
