"""Where sentences end."""

from __future__ import annotations

from typing import SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertwright.text.sentences import split_sentences

CASES = [
    ("She left. He stayed.", ["She left.", "He stayed."]),
    ("Mr. Smith met Dr. J. R. Jones, Ph.D. today.", ["Mr. Smith met Dr. J. R. Jones, Ph.D. today."]),
    ("It cost $3.14 in all. Cheap!", ["It cost $3.14 in all.", "Cheap!"]),
    ("We met at 5 p.m. in the U.S. Army base.", ["We met at 5 p.m. in the U.S. Army base."]),
    ("He lived in the U.S. He liked it.", ["He lived in the U.S.", "He liked it."]),
    ("Apple Inc. bought it. The firm grew.", ["Apple Inc. bought it.", "The firm grew."]),
    ("Foo Ltd. The firm grew.", ["Foo Ltd.", "The firm grew."]),
    ("See Fig. 3 and p. 5. No. 7 is new.", ["See Fig. 3 and p. 5.", "No. 7 is new."]),
    ("Use e.g. Python, i.e. code.", ["Use e.g. Python, i.e. code."]),
    ('"Really?" he said. "Yes." She left.', ['"Really?" he said.', '"Yes."', "She left."]),
    ("(It rained.) We went.", ["(It rained.)", "We went."]),
    ("“Stop!” “Why?”", ["“Stop!”", "“Why?”"]),
    ("3. Results. They are good.", ["3. Results.", "They are good."]),
    ("Born in 1947. Died in 1999.", ["Born in 1947.", "Died in 1999."]),
    ("Wait... and then? Yes!", ["Wait... and then?", "Yes!"]),
    ("well…yes", ["well…yes"]),
    ("Really?! Yes.", ["Really?!", "Yes."]),
    ("See www.example.com. It is new.", ["See www.example.com.", "It is new."]),
    ("no end", ["no end"]),
    ("他走了。她没有走！真的吗？", ["他走了。", "她没有走！", "真的吗？"]),
    ("他说：“你好。”然后走了。", ["他说：“你好。”", "然后走了。"]),
    ("「好嗎？」她問。", ["「好嗎？」", "她問。"]),
    ('"你好。"他说。"再见。"', ['"你好。"', "他说。", '"再见。"']),
    ("（见上文。）下面继续。", ["（见上文。）", "下面继续。"]),
    ("我……我不知道……真的。", ["我……", "我不知道……", "真的。"]),
    ("红的；绿的；蓝的。", ["红的；", "绿的；", "蓝的。"]),
    ("你好!我来了.", ["你好!", "我来了."]),
    ("价格是3.5元。真便宜。", ["价格是3.5元。", "真便宜。"]),
    ("我用Python 3.11。It works. 真的。", ["我用Python 3.11。", "It works.", "真的。"]),
    ("什么？！不会吧。", ["什么？！", "不会吧。"]),
    ("真的吗？”；不是。", ["真的吗？”；", "不是。"]),
    ("……", ["……"]),
    ("", []),
    (" \t\n", []),
]


@pytest.mark.parametrize(("text", "sentences"), CASES, ids=[text for text, _ in CASES])
def test_known_texts(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(st.text(alphabet="abA1.!?… \"'()“”。！？；，他走 \n", max_size=60))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    sentences = split_sentences(text)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)
    with_content = [any(c.isalnum() for c in sentence) for sentence in sentences]
    assert all(with_content[1:]), "marks alone never stand as a later sentence"


class Watched(str):
    """A text that counts the characters that were taken out of it or searched."""

    __slots__ = ("seen",)

    def __getitem__(self, place: SupportsIndex | slice) -> str:
        part = super().__getitem__(place)
        self.seen = getattr(self, "seen", 0) + len(part)
        return part

    def count(self, part: str, *bounds: SupportsIndex | None) -> int:
        self.seen = getattr(self, "seen", 0) + len(range(len(self))[slice(*bounds)])
        return super().count(part, *bounds)


@pytest.mark.parametrize("part", ["a. ", "！", "! ", "x", '他说。"', "3. "])
def test_a_long_line_is_looked_at_a_few_times_only(part: str) -> None:
    text = Watched("a" + part * 5000)
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
    assert text.seen < 20 * len(text)
