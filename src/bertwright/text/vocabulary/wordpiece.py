"""The pipeline of the `tokenizers` library that does a BERT's tokenizing: clean, split, look up pieces."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
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
from bertwright.wording import Phrase, said

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
    pipeline.post_processor = _frame(vocabulary, settings)
    return pipeline


def _frame(vocabulary: Mapping[str, int], settings: TokenizerSettings) -> TemplateProcessing:
    """The special tokens around texts, for those who open a saved tokenizer.json with the library alone: ours are put
    there elsewhere.
    """
    cls, sep = settings.cls_token, settings.sep_token
    return TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, vocabulary[cls]), (sep, vocabulary[sep])],
    )


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


def add_named_tokens(pipeline: Tokenizer, settings: TokenizerSettings) -> None:
    """Add the special tokens that `settings` name beside those without which no text is encoded.

    Raises:
        BertwrightError: BW445 for one that cannot be added.
    """
    named = [settings.bos_token, settings.eos_token, *settings.additional_special_tokens]
    if settings.mask_token != TokenizerSettings().mask_token:
        named.append(settings.mask_token)
    missing = [token for token in named if token is not None and pipeline.token_to_id(token) is None]
    refuse_gaps(pipeline, missing)
    mark_special(pipeline, missing)


def refuse_gaps(pipeline: Tokenizer, tokens: Sequence[str]) -> None:
    """Refuse to add `tokens` where the library would give them the ids of others: it counts tokens, not ids.

    Raises:
        BertwrightError: BW445 where ids have no token, as those of repeated lines.
    """
    new = next((token for token in tokens if token and pipeline.token_to_id(token) is None), None)
    if new is None:
        return
    last = max(pipeline.get_vocab(with_added_tokens=True).values())
    size = pipeline.get_vocab_size(with_added_tokens=False)
    given = max(size, 1 + max(pipeline.get_added_tokens_decoder(), default=-1))
    if given <= last:
        reason = Phrase("it would get the id {given}, and the vocabulary has ids up to {last}", given=given, last=last)
        raise BertwrightError("BW445", token=new, reason=reason)


def refuse_new_unknown(pipeline: Tokenizer, token: str) -> None:
    """Refuse a token for unknown words that stands beside the vocabulary, where the library does not find it.

    Raises:
        BertwrightError: BW445.
    """
    if token not in pipeline.get_vocab(with_added_tokens=False):
        reason = Phrase("the token for unknown words must be one of the vocabulary itself")
        raise BertwrightError("BW445", token=token, reason=reason)


def follow_settings(pipeline: Tokenizer, settings: TokenizerSettings, *, renews_frame: bool) -> None:
    """Let the pipeline have the special tokens of `settings`, and never split them.

    Args:
        pipeline: what is to follow.
        settings: the names of the special tokens.
        renews_frame: whether those around texts may be others than before.

    Raises:
        BertwrightError: BW445 for a token for unknown words that the vocabulary itself lacks.
    """
    vocabulary = pipeline.get_vocab(with_added_tokens=True)
    others = settings.additional_special_tokens  # which are marked as their files say
    named = [*settings.required_tokens, settings.mask_token, settings.bos_token or "", settings.eos_token or ""]
    mark_special(pipeline, [token for token in named if token in vocabulary and token not in others])
    if renews_frame:
        pipeline.post_processor = _frame(vocabulary, settings)
    if pipeline.model.unk_token != settings.unk_token:
        refuse_new_unknown(pipeline, settings.unk_token)
        pipeline.model.unk_token = settings.unk_token
