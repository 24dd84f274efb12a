"""Han characters are those around which BERT's tokenizer puts spaces."""

from __future__ import annotations

import sys

from tokenizers.normalizers import BertNormalizer

from bertwright.text.han import count_han, is_han


def test_they_are_those_of_the_tokenizer() -> None:
    normalizer = BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    apart = [one for one in characters if normalizer.normalize_str(one) == f" {one} "]
    assert len(apart) > 70_000
    # The library leaves out the first 256 characters of extension E, which the code of Devlin et al. has.
    expected = {*apart, *map(chr, range(0x2B820, 0x2B920))}
    assert set(filter(is_han, characters)) == expected
    assert count_han("".join(characters)) == len(expected)
    assert not is_han("")
