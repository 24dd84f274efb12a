"""The pipeline of the `tokenizers` library that does a BERT's tokenizing: clean, split, look up pieces."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.panics import panics_as_errors
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.tokenizer_files import TokenBeside, TokenizerSettings
from bertwright.text.vocabulary.pipeline_checks import check_description
from bertwright.text.vocabulary.vocabulary_file import is_cased, require_tokens
from bertwright.wording import said

_log = logging.getLogger("bertwright")


def build_pipeline(vocabulary: dict[str, int], settings: TokenizerSettings, source: str) -> Tokenizer:
    """The pipeline of a bare vocabulary; decides on case where `settings` do not, and says so in the log.

    Raises:
        BertwrightError: BW401 for a special token that is missing; `source` names the vocabulary.
    """
    require_tokens(settings.required_tokens, vocabulary, source)
    lower_case = settings.do_lower_case
    if lower_case is None:
        lower_case = not is_cased(vocabulary)
        what = (
            "{source} has no capital letters: text is lower-cased; set do_lower_case in tokenizer_config.json to "
            "decide otherwise"
            if lower_case
            else "{source} has tokens with capital letters: text is not lower-cased; set do_lower_case in "
            "tokenizer_config.json to decide otherwise"
        )
        _log.warning(said(what, source=source))
    pipeline = Tokenizer(WordPiece(vocabulary, unk_token=settings.unk_token))
    pipeline.normalizer = BertNormalizer(
        clean_text=True,
        handle_chinese_chars=settings.tokenize_chinese_chars is not False,
        strip_accents=settings.strip_accents,
        lowercase=lower_case,
    )
    pipeline.pre_tokenizer = BertPreTokenizer()
    pipeline.decoder = WordPieceDecoder(prefix="##")
    cls, sep = settings.cls_token, settings.sep_token
    # Ours is assembled elsewhere; this is for those who open the saved tokenizer.json with the library alone.
    pipeline.post_processor = TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, vocabulary[cls]), (sep, vocabulary[sep])],
    )
    return pipeline


def read_pipeline(path: Path, settings: TokenizerSettings) -> Tokenizer:
    """The pipeline in the `tokenizer.json` at `path`, with what `settings` say in place of what it says.

    Truncation and padding that were saved with it are dropped: the length of somebody's last call is no
    property of a tokenizer.

    Raises:
        BertwrightError: BW404 for what is no WordPiece tokenizer.
    """
    try:
        description = read_json_file(path)
        check_description(description)
        description["truncation"] = description["padding"] = None
        with panics_as_errors():
            pipeline = Tokenizer.from_str(json.dumps(description))
    except Exception as error:  # the library raises plain `Exception`
        raise BertwrightError("BW404", file=path, reason=error) from error
    if not isinstance(pipeline.model, WordPiece):
        raise BertwrightError("BW404", file=path, reason=f"{type(pipeline.model).__name__} ≠ WordPiece")
    found = pipeline.normalizer
    if isinstance(found, BertNormalizer):
        pipeline.normalizer = BertNormalizer(
            clean_text=found.clean_text,
            handle_chinese_chars=_either(settings.tokenize_chinese_chars, found.handle_chinese_chars),
            strip_accents=found.strip_accents if settings.strip_accents is None else settings.strip_accents,
            lowercase=_either(settings.do_lower_case, found.lowercase),
        )
    return pipeline


def mark_special(pipeline: Tokenizer, tokens: Sequence[str]) -> None:
    """Make each of `tokens` one token wherever it stands in a text, as `transformers` does."""
    pipeline.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in tokens])


def add_tokens_beside(pipeline: Tokenizer, tokens: Sequence[TokenBeside]) -> None:
    """Add `tokens` in their order; those that a `tokenizer.json` has already stay as it says.

    Raises:
        BertwrightError: BW416 for one that cannot have the id that its file says.
    """
    there = {token.content for token in pipeline.get_added_tokens_decoder().values()}
    for one in tokens:
        content = one.token.content
        if content in there:
            continue
        pipeline.add_tokens([one.token])
        token_id = pipeline.token_to_id(content)
        if one.token_id not in (None, token_id):
            raise BertwrightError("BW416", file=one.source, token=content, said=one.token_id, id=token_id)


def settings_in(pipeline: Tokenizer, settings: TokenizerSettings) -> TokenizerSettings:
    """`settings` with nothing left open: what the pipeline does is filled in."""
    found = pipeline.normalizer
    if isinstance(found, BertNormalizer):
        return replace(
            settings,
            do_lower_case=found.lowercase,
            strip_accents=found.strip_accents,
            tokenize_chinese_chars=found.handle_chinese_chars,
        )
    return replace(settings, do_lower_case=found is not None and found.normalize_str("A") == "a")


def _either(said: bool | None, found: bool) -> bool:
    return found if said is None else said
