"""Tagged sentences written for the tests, and a small model whose vocabulary has their words."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from bertwright import BertConfig, BertModel, BertTokenizer
from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where

PEOPLE = ["Anna Miller", "Peter", "Maria Stone", "John Reed", "李明", "王小红"]
PLACES = ["Berlin", "New Harbour", "Oslo", "上海", "青山镇"]
FRAMES = [
    "{p} lives in {l} .",
    "yesterday {p} met {q} near {l} , {m} .",
    "nobody in {l} knows why .",
    "{p} 昨天 到 {l} 去 了 。",
    "it rains again .",
]


def tagged_sentences(count: int, seed: int) -> list[Example]:
    """Sentences with people (PER) and places (LOC)."""
    generator = random.Random(seed)
    examples = []
    for number in range(1, count + 1):
        text, spans = "", []
        frame = generator.choice(FRAMES)
        words = {"p": PEOPLE, "q": PEOPLE, "l": PLACES, "m": PLACES}
        for part in frame.replace("{", "\0{").replace("}", "}\0").split("\0"):
            if part.startswith("{"):
                name = generator.choice(words[part[1]])
                spans.append(Span(len(text), len(text) + len(name), "PER" if words[part[1]] is PEOPLE else "LOC"))
                text += name
            else:
                text += part
        examples.append(Example(text, Marked(tuple(spans)), Where("made", number)))
    return examples


def write_tagger_model(folder: Path) -> Path:
    """A base model with random weights that knows the words of the sentences, single letters and digits."""
    words: set[str] = set()
    for example in tagged_sentences(300, 0):
        for word in example.text.split():
            words.update([word.lower()] if word.isascii() else word)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(words | set(letters))]
    vocabulary += [f"##{letter}" for letter in letters]
    BertTokenizer(vocabulary, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder
