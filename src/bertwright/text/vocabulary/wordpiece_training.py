"""A WordPiece vocabulary from the counts of words, by the trainer of the `tokenizers` library.

The special tokens stand where Devlin et al. have them: [PAD] 0, [UNK] 100, [CLS] 101, [SEP] 102, [MASK] 103, and
99 free places [unused…] between. Then come the single characters, those that go on within a word, and the pieces in
the order in which the trainer made them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import WordPieceTrainer

from bertwright.errors import BertwrightError
from bertwright.text.han import is_han
from bertwright.text.tokenizer.token_table import CONTINUATION
from bertwright.text.vocabulary.basic_characters import basic_characters, common_han

PLACES = ("[PAD]", *(f"[unused{number}]" for number in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LEAST_COUNT = 2
_COVERED = 0.99995
_CHINESE = 0.1  # of the characters: a text in English may quote some
_WORDS_SHOWN_TO_THE_TRAINER = 20_000_000
_AT_ONCE = 100_000


def train_wordpiece(counts: Mapping[str, int], size: int, *, cased: bool = False) -> list[str]:
    """The tokens of a vocabulary, in the order of their ids.

    Characters are tokens, the most frequent first, until 99.995 % of all text is covered, if they occur at least twice
    and leave a tenth of the vocabulary for longer pieces; so are those that go on within a word, by the same rule but
    for half of the vocabulary at most. Digits, letters and marks of `basic_characters` are tokens in any case, as long
    as they take no more than a quarter of the vocabulary; so are the common Han characters where a tenth of the text or
    more is Chinese and they take no more than half. The same counts give the same vocabulary.

    Args:
        counts: how often each word occurs; words are what is between white space, punctuation and Han characters.
        size: how many tokens there may be. There are fewer where the words do not give so many.
        cased: whether the words keep their capitals.

    Raises:
        BertwrightError: BW127 there is no room for the special tokens and a few characters.
    """
    alphabet, inner = _alphabet(counts, size, cased)
    if len(PLACES) + len(alphabet) + len(inner) > size or not alphabet:
        raise BertwrightError("BW127", size=size, least=len(PLACES) + len(alphabet) + len(inner) + 1)
    known = frozenset(alphabet)
    within = frozenset(inner)
    words = {
        word: count
        for word, count in sorted(counts.items())
        if word[0] in known and all(character in within for character in word[1:])
    }
    # What the trainer meets first gets the lower id, and ids decide between pairs of equal counts: without the whole
    # alphabet at the beginning the vocabulary would change from run to run.
    first = [*alphabet, *(CONTINUATION + character for character in inner)]
    trainer = WordPieceTrainer(
        vocab_size=size - len(PLACES),
        min_frequency=_LEAST_COUNT,
        special_tokens=first,
        initial_alphabet=[],
        show_progress=False,
    )
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.train_from_iterator(_shown(words), trainer)
    made = sorted(tokenizer.get_vocab(with_added_tokens=False).items(), key=lambda item: item[1])
    pieces = [token for token, _ in made if token not in frozenset(first)]
    return [*PLACES, *first, *pieces][:size]


def without_room(counts: Mapping[str, int], tokens: Sequence[str], *, cased: bool = False) -> list[str]:
    """The characters of which a vocabulary made from `counts` should have all, but was too small for."""
    wanted = basic_characters(cased)[0]
    if _is_chinese(_characters_of(counts)):
        wanted = [*wanted, *sorted(common_han())]
    known = frozenset(tokens)
    return [one for one in wanted if one not in known]


def _characters_of(counts: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            found[character] += count
    return found


def _alphabet(counts: Mapping[str, int], size: int, cased: bool) -> tuple[list[str], list[str]]:
    """The characters that are tokens, and those that are tokens within words; each sorted."""
    begins: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for word, count in counts.items():
        begins[word[0]] += count
        for character in word[1:]:
            within[character] += count
    room = size - len(PLACES)
    basic, basic_within = basic_characters(cased)
    if len(basic) + len(basic_within) > room // 4:
        basic, basic_within = [], []
    inner = _most_frequent(within, room // 2, basic_within)
    both = begins + Counter({character: within[character] for character in inner})
    if _is_chinese(both) and len(common_han()) <= room // 2:
        basic += sorted(common_han())
    return _most_frequent(both, room * 9 // 10 - len(inner), basic), inner


def _most_frequent(counts: Counter[str], most: int, basic: Sequence[str]) -> list[str]:
    """At most `most` characters, sorted: the `basic` ones, and of the others the most frequent."""
    wanted = _COVERED * counts.total()
    chosen = list(basic[:most])
    covered = sum(counts[character] for character in chosen)
    others = [item for item in counts.items() if item[0] not in frozenset(chosen)]
    for character, count in sorted(others, key=lambda item: (-item[1], item[0]))[: max(most - len(chosen), 0)]:
        if covered >= wanted or count < _LEAST_COUNT:
            break
        chosen.append(character)
        covered += count
    return sorted(chosen)


def _is_chinese(characters: Counter[str]) -> bool:
    return sum(count for one, count in characters.items() if is_han(one)) >= _CHINESE * characters.total()


def _shown(words: Mapping[str, int]) -> Iterator[str]:
    """Each word as often as it occurs; where that is very often, in proportion, and at least once."""
    total = sum(words.values())
    scale = min(1.0, _WORDS_SHOWN_TO_THE_TRAINER / max(total, 1))
    for word, count in words.items():
        often = max(1, round(count * scale))
        while often > 0:
            yield " ".join([word] * min(often, _AT_ONCE))
            often -= _AT_ONCE
