"""Numbers and dates in Chinese writing and in digits: pairs of texts for a first Transformer, made from a seed.

    python recipes/number_writing.py --out numbers --pairs 30000

Both directions stand in one file: what a source is written in says what is asked for. 一百零五 is 105,
二〇二四年三月九日 is 2024-03-09. Test pairs are numbers and dates that occur in no training pair, in either direction.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bertwright.checkpoint.replacing import write_text

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿")
_LONGEST = 8  # digits of a number
_FIRST, _DAYS = date(1900, 1, 1), 365 * 200


def number_in_chinese(number: int) -> str:
    """`number`, from 0 up to 10¹² - 1, as it is written out: 10 is 十, 105 is 一百零五, 20300 is 二万零三百."""
    if number == 0:
        return _DIGITS[0]
    parts: list[str] = []
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    gap = False
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if not group:
            gap = bool(parts)
            continue
        if parts and (gap or group < 1000):
            parts.append(_DIGITS[0])
        parts.append(_group(group) + _MYRIADS[place])
        gap = False
    text = "".join(parts)
    return text[1:] if text.startswith("一十") else text


def _group(number: int) -> str:
    """A number from 1 to 9999, without 零 in front."""
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(text)
            continue
        text += (_DIGITS[0] if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return text


def date_in_chinese(day: date) -> str:
    """2024-03-09 as 二〇二四年三月九日."""
    year = "".join("〇" if digit == "0" else _DIGITS[int(digit)] for digit in f"{day.year:04d}")
    return f"{year}年{number_in_chinese(day.month)}月{number_in_chinese(day.day)}日"


def number_pairs(seed: int) -> Iterator[tuple[str, str]]:
    """Writings of the same thing, in Chinese and in digits, without end: numbers of every length and dates by turns."""
    draw = np.random.default_rng(seed)
    while True:
        digits = draw.integers(0, 10, int(draw.integers(1, _LONGEST, endpoint=True)))
        if draw.random() < 0.5:  # zeros inside and at the end are what is hard
            digits *= draw.random(len(digits)) < 0.5
        number = int("".join(map(str, digits.tolist())))
        yield number_in_chinese(number), str(number)
        day = _FIRST + timedelta(days=int(draw.integers(0, _DAYS)))
        yield date_in_chinese(day), day.isoformat()


def draw_pairs(count: int, test: int, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """`count` training pairs and `test` others, (source, target), each thing once and in one direction or the other."""
    seen: set[str] = set()
    drawn: list[tuple[str, str]] = []
    turn = np.random.default_rng((seed, 1))
    for chinese, digits in number_pairs(seed):
        if digits in seen:
            continue
        seen.add(digits)
        drawn.append((chinese, digits) if turn.random() < 0.5 else (digits, chinese))
        if len(drawn) == count + test:
            break
    order = turn.permutation(len(drawn)).tolist()
    mixed = [drawn[index] for index in order]
    return mixed[test:], mixed[:test]


def write_pairs(folder: Path, count: int, test: int, seed: int) -> None:
    """Write `train.tsv` and `test.tsv` with the columns `source` and `target`, and `corpus.txt` for a vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    train, held_out = draw_pairs(count, test, seed)
    write_text(folder / "corpus.txt", "".join(f"{source} {target}\n" for source, target in train))
    for name, pairs in (("train.tsv", train), ("test.tsv", held_out)):
        lines = ["source\ttarget", *(f"{source}\t{target}" for source, target in pairs)]
        write_text(folder / name, "\n".join(lines) + "\n")


def main() -> None:
    """The command that the docstring of this module shows."""
    parser = argparse.ArgumentParser(description="Pairs of numbers and dates in Chinese writing and in digits.")
    parser.add_argument("--out", type=Path, required=True, help="folder for train.tsv and test.tsv")
    parser.add_argument("--pairs", type=int, default=30_000, help="training pairs")
    parser.add_argument("--test", type=int, default=2_000, help="test pairs, none of them in training")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write_pairs(options.out, options.pairs, options.test, options.seed)


if __name__ == "__main__":
    main()
