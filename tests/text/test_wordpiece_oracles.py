"""Tokens against two oracles: our own slow reading of the paper, and the pure-Python tokenizer of the peer."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from bertwright.text.tokenizer.tokenizer import BertTokenizer
from tests.text import reference_wordpiece as reference
from tests.text.conftest import TINY, real_tokenizer, tiny_tokenizer, vocabulary_file

TEXTS = {
    "empty": "",
    "spaces": "  \t\r\n  ",
    "english": "The cat sat on the mat, didn't it? U.S.A.'s $4.50-a-day (100%) e-mail: a_b@c.org!",
    "pieces": "unaffable unaffables hyperparameterization antidisestablishmentarianism",
    "accents": "Crème brûlée, naïve façade, Ångström, São Paulo, Đặng, Łódź, Øre",
    "combining": "e\u0301le\u0300ve a\u0308\u0323 q\u0307\u0323 \u0301leading",
    "german": "Straße STRASSE Fußgängerübergänge ẞ",
    "turkish": "İstanbul ISPARTA ıșık Iğdır",
    "greek inside": "λόγος Ελληνικά σοφία",
    "kelvin and ohm": "300 \u212a, 5 \u2126, \u212b",
    "ligatures": "ﬁnance ﬂow Ǆ ǅ",
    "cyrillic": "Привет, мир! Ёлка й",
    "arabic and hebrew": "مَرْحَبًا بالعالم שָׁלוֹם עולם",
    "hindi and thai": "नमस्ते दुनिया สวัสดีชาวโลก",
    "korean": "안녕하세요 세계 \u1112\u1161\u11ab\u1100\u1173\u11af 한글",
    "japanese": "東京タワーはガラスで、ﾊﾝｶｸ パピプペポ が\u3099",
    "simplified": "中国的首都是北京。今天天气很好，我们去公园吧！“引号”……——《书名》",
    "traditional": "臺灣國立臺灣大學圖書館，龍龜鬱。",
    "mixed": "我在2019年买了iPhone11Pro，花了￥8,699.00元。BERT模型GPU训练",
    "full-width": "ＡＢＣ１２３，．！？（）　ａｂｃ",
    "rare han": "𠮷野家 𡈽 㐀䶵 𪚥 豈 龥 〇 々 ㄅㄆ",
    "radicals": "⼀⺀㇀ ㊗ ㍿",
    "emoji": "ok 👍🏽 👨‍👩‍👧‍👦 🇨🇳🇺🇸 ❤️ ☺ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🤦🏻‍♀️",
    "controls": "a\x00b\x01c\x07d\x1be\x7ff\x85g\x9fh",
    "zero-width": "a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg\u200eh",
    "odd spaces": "a\u00a0b\u2003c\u3000d\u202fe\u205ff\u1680g\u2028h\u2029i\x0bj\x0ck",
    "replacement": "a\ufffdb",
    "private": "a\ue000b \U000f0000",
    "punctuation": "¿Qué? «oui» … ‽ · • † ‰ ′ § ¶ ¬ © ™ € + = ~ ^ ` |",
    "long words": "x" * 100 + " " + "x" * 101 + " " + "字" * 150 + " " + "a" * 300,
    "brackets": "[cls] [ SEP ] [unused5] [X] [[",
    "hashes": "##able # # ##",
    "tatweel and marks": "ـــ ״ ׳ ֊",
    "math": "𝐁𝐄𝐑𝐓 ℬ ½ ² ⅷ Ⅷ",
}
CASED = ("bert-base-cased",)
# The characters of Unicode 3.2 whose class has changed since the tables in the library were made:
# U+166D is no punctuation any more, U+1734 no accent any more, U+1885 and U+1886 have become accents.
RECLASSIFIED = {0x166D, 0x1734, 0x1885, 0x1886}


def normal_words(text: str, lower: bool) -> list[str]:
    """What the library makes of a text before it looks pieces up."""
    normal = BertNormalizer(lowercase=lower).normalize_str(text)
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(normal)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("name", ["tiny", "bert-base-uncased", "bert-base-cased", "bert-base-chinese"])
def test_equal_to_our_reading_of_the_paper(name: str, text: str) -> None:
    tokenizer = tiny_tokenizer() if name == "tiny" else real_tokenizer(name)
    assert tokenizer.tokenize(text) == reference.tokens(text, tokenizer.get_vocab(), name not in CASED)


@pytest.fixture(scope="module")
def legacy_of() -> Any:
    legacy = pytest.importorskip("transformers.models.bert.tokenization_bert_legacy")
    made: dict[Path, Any] = {}

    def of(path: Path, lower: bool) -> Any:
        if path not in made:
            made[path] = legacy.BertTokenizerLegacy(str(path), do_lower_case=lower)
        return made[path]

    return of


@pytest.mark.parametrize("name", ["tiny", "bert-base-uncased", "bert-base-cased", "bert-base-chinese"])
def test_equal_to_the_pure_python_tokenizer_of_transformers(name: str, legacy_of: Any, tiny_file: Path) -> None:
    tokenizer = tiny_tokenizer() if name == "tiny" else real_tokenizer(name)
    legacy = legacy_of(tiny_file if name == "tiny" else vocabulary_file(name), name not in CASED)
    for what, text in TEXTS.items():
        if name in CASED:
            text = unicodedata.normalize("NFC", text)  # that tokenizer composes cased text, no other one does
        assert tokenizer.tokenize(text) == legacy.tokenize(text), what


def test_cased_text_is_not_composed() -> None:
    cased = real_tokenizer("bert-base-cased")
    assert cased.tokenize("\u00e9") == ["é"]
    assert cased.tokenize("e\u0301") == ["e", "##\u0301"]


@pytest.mark.parametrize("lower", [True, False])
def test_every_old_character_is_treated_as_the_paper_says(lower: bool) -> None:
    """All that Unicode 3.2 (2002) had: what Chinese and Western text consists of, emoji aside."""
    old = [
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.ucd_3_2_0.category(chr(point)) not in ("Cn", "Cs", "Co")
        and not 0x4E40 <= point < 0x9F00  # in the middle of a block one character is like another
        and not 0x3440 <= point < 0x4D80
        and not 0x20040 <= point < 0x2A680
        and not 0xAC40 <= point < 0xD780
    ]
    assert len(old) > 14_000
    differing = {
        point for point in old if normal_words(f"a{chr(point)}b", lower) != reference.words(f"a{chr(point)}b", lower)
    }
    assert differing == (RECLASSIFIED if lower else {0x166D})


@pytest.mark.parametrize(
    ("text", "library", "paper", "why"),
    [
        ("ΟΔΟΣ", ["οδοσ"], ["οδος"], "the library lower-cases letter by letter: no final sigma"),
        ("a\U0002b820b", ["a\U0002b820b"], ["a", "\U0002b820", "b"], "extension E begins 256 too late"),
        ("a\U0002b920b", ["a", "\U0002b920", "b"], ["a", "\U0002b920", "b"], "from here on it is equal"),
        ("a\u2e43b", ["a\u2e43b"], ["a", "\u2e43", "b"], "punctuation of Unicode 9, younger than its tables"),
        ("a\u1ac1b", ["a\u1ac1b"], ["ab"], "an accent of Unicode 14, younger than its tables"),
        ("a\u0378b", ["a\u0378b"], ["ab"], "unassigned: a control for Python, a letter for the library"),
        ("a\uffffb", ["a\uffffb"], ["ab"], "no character, so unassigned too"),
        ("a\u0890b", ["a\u0890b"], ["ab"], "a format character of Unicode 14, younger than its tables"),
    ],
)
def test_where_the_library_differs_we_follow_it(text: str, library: list[str], paper: list[str], why: str) -> None:
    """A model is used with the library's tokens everywhere; being alone in the right would be wrong."""
    assert normal_words(text, lower=True) == library, why
    assert reference.words(text, lower=True) == paper, why


OLD_CHARACTERS = [
    chr(point)
    for point in range(0x30000)
    if unicodedata.ucd_3_2_0.category(chr(point)) not in ("Cn", "Cs") and point not in RECLASSIFIED | {0x03A3}
]


@settings(deadline=None, max_examples=150)
@given(text=st.text(st.sampled_from(OLD_CHARACTERS) | st.characters(max_codepoint=0x250, exclude_categories=["Cn"])))
def test_any_old_text_is_equal_to_the_paper(text: str) -> None:
    assume(not any(special in text for special in TINY[:5]))
    for lower in (True, False):
        tokenizer = tiny_tokenizer(lower)
        assert tokenizer.tokenize(text) == reference.tokens(text, set(TINY), lower)
        assert normal_words(text, lower) == reference.words(text, lower)


@pytest.mark.parametrize("strip", [True, False, None])
@pytest.mark.parametrize("lower", [True, False])
def test_accents_go_with_case_unless_said(lower: bool, strip: bool | None) -> None:
    text = "CRÈME Ａ́ 한 İ"
    spellings = ("Crème", "crème", "CRÈME", "CREME", "creme", "Ａ", "ａ", "한", "İ", "I")
    tokenizer = BertTokenizer(
        [*TINY, *spellings, "i\u0307", "ａ\u0301", "Ａ\u0301"],
        do_lower_case=lower,
        strip_accents=strip,
    )
    expected = [
        piece for word in reference.words(text, lower, strip) for piece in reference.pieces(word, tokenizer.get_vocab())
    ]
    assert tokenizer.tokenize(text) == expected


def test_han_characters_can_stay_together() -> None:
    tokenizer = BertTokenizer([*TINY, "中国"], do_lower_case=True, tokenize_chinese_chars=False)
    assert tokenizer.tokenize("中国 中人") == ["中国", "[UNK]"]
