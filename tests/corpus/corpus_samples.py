"""Small corpora, written for the tests, and a vocabulary that knows their words."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from bertwright.corpus.prepare import prepare_corpus
from bertwright.corpus.store import CorpusStore
from bertwright.text.tokenizer.tokenizer import BertTokenizer

ENGLISH = [
    "The old lighthouse keeper climbed the stairs every evening.",
    "Rain fell on the harbour, and the boats stayed in.",
    "Mr. Brown sold apples, pears and plums at the market.",
    "Nobody knew where the grey cat slept.",
    "Was the bridge open? It was not.",
    "She wrote three letters before breakfast!",
    "A train left for the mountains at noon.",
    "The children counted stones along the river.",
    "His garden had more thistles than roses.",
    "We waited, but the bus never came.",
]
CHINESE = [
    "老人每天傍晚都去湖边散步。",
    "昨夜下了一场大雨，街上很干净。",
    "她问：“今天的鱼新鲜吗？”",
    "孩子们在院子里数星星。",
    "火车晚点了两个小时……大家都很着急。",
    "这家书店只卖旧书；老板喜欢安静。",
    "山上的雪还没有化！",
    "他学会了修理自行车。",
]


def documents(count: int, seed: int = 0, sentences: list[str] | None = None) -> list[list[str]]:
    """Documents of a few different lines, each of one to three sentences with a number of its own."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        lines = []
        for line in range(draw.randint(2, 6)):
            chosen = draw.sample(sentences or ENGLISH + CHINESE, draw.randint(1, 3))
            lines.append(" ".join([*chosen, f"Note {number} {line}."]))
        made.append(lines)
    return made


def write_blocks(path: Path, made: list[list[str]], end: str = "\n") -> Path:
    """Documents with a blank line between them."""
    path.write_text("\n\n".join("\n".join(lines) for lines in made) + end, encoding="utf-8", newline="\n")
    return path


def vocabulary(folder: Path) -> Path:
    """A tokenizer that knows most words of the samples, some of them in pieces."""
    words = set(re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]", " ".join(ENGLISH + CHINESE).lower()))
    pieces = {"light", "##house", "har", "##bour", "note", *(f"##{digit}" for digit in range(10))}
    words -= {"lighthouse", "harbour", "thistles"}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = BertTokenizer([*special, *sorted(words | pieces | set("0123456789"))], do_lower_case=True)
    tokenizer.save_pretrained(folder)
    return folder


def stored(store: CorpusStore) -> list[list[list[int]]]:
    """The ids of the sentences of the documents of a store."""
    found = []
    for shard in store.shards:
        edges = shard.documents.tolist()
        for begin, end in zip(edges, edges[1:]):
            starts = shard.sentences[begin : end + 1].tolist()
            found.append([shard.tokens[a:b].tolist() for a, b in zip(starts, starts[1:])])
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def prepare(paths: Any, vocab: Path, out: Path, settings: Any = None, **options: Any) -> CorpusStore:
    """`prepare_corpus` in parts of a kilobyte, so that a small corpus has many."""
    return prepare_corpus(paths, vocab, out, settings, **{"part_bytes": 1000, **options})
