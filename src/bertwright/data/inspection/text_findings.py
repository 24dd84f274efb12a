"""What a person should know about the texts of their data."""

from __future__ import annotations

import re

from bertwright.data.examples import Where
from bertwright.data.inspection.finding import Finding, Severity
from bertwright.data.inspection.token_counts import TokenCounts
from bertwright.data.reading.example_sources import MISSING
from bertwright.data.reading.tables import Table
from bertwright.data.windows import LONGER_TEXTS, Long
from bertwright.wording import quantity, said, shown

_UNKNOWN = 0.01  # share of tokens
_PIECES_SHOWN = 10
_MARKUP = re.compile(
    r"<(?:br|hr) ?/?>|</?(?:p|div|span|a|b|i|u|em|strong|ul|ol|li|table|tr|td|font|img|script|html|body|h[1-6])\b"
    r"[^<>]*>|&(?:amp|lt|gt|quot|nbsp|apos|#\d{2,5});",
    re.IGNORECASE,
)


def of_texts(table: Table, name: str) -> list[Finding]:
    """Rows without what they should have, and texts with what they should not have."""
    no_answer = "{name}: {rows} without a label; training refuses them"
    if table.columns.target:
        no_answer = "{name}: {rows} without a target; training refuses them"
    unlabelled = () if table.dropped else table.unlabelled
    kinds: tuple[tuple[str, Severity, tuple[Where, ...], str], ...] = (
        ("unlabelled", "warning", unlabelled, no_answer),
        ("empty", "note", table.empty, "{name}: {rows} without text left out"),
        ("undecided", "note", table.undecided, "{name}: {rows} with the label '-' left out"),
    )
    findings = [
        Finding(kind, severity, said(what, name=name, rows=quantity(len(places), "row")), places)
        for kind, severity, places, what in kinds
        if places
    ]
    marked = [(one.where, found[0]) for one in table.examples if (found := _MARKUP.search(one.text))]
    if marked:
        texts, share = quantity(len(marked), "text"), 100 * len(marked) / len(table.examples)
        message = said(
            "{name}: markup is left in {texts} ({share:.1f} %), such as {found}; a model reads it as words",
            name=name, texts=texts, share=share, found=marked[0][1],
        )  # fmt: skip
        findings.append(Finding("markup", "note", message, tuple(where for where, _ in marked)))
    bare = [(one.where, text) for one in table.examples if (text := one.text.strip()) and text in MISSING]
    if bare:
        message = said(
            "{name}: {texts} of one word, '{word}', which programs write for a missing text: fill it in, or empty "
            "the field",
            name=name, texts=quantity(len(bare), "text"), word=bare[0][1],
        )  # fmt: skip
        findings.append(Finding("missing texts", "warning", message, tuple(where for where, _ in bare)))
    if table.unused and name == "train":
        listed = shown(f"'{column}'" for column in table.unused)
        findings.append(
            Finding("unused columns", "note", said("{name}: columns not read: {listed}", name=name, listed=listed))
        )
    return findings


def of_tokens(tokens: TokenCounts, name: str, rows: int, long: Long | None) -> list[Finding]:
    """What a model cannot read of the texts; `rows` is their number, `long` what becomes of longer ones."""
    findings = []
    if tokens.long:
        fate = (
            said("the setting long says what becomes of them")
            if long is None
            else f"{LONGER_TEXTS[long]} (long={long})"
        )
        message = said(
            "{name}: {n} of {texts} longer than {limit} tokens, {share:.1f} % of all tokens lie beyond; {fate}",
            name=name, n=len(tokens.long), texts=quantity(rows, "text is", "texts are"), limit=tokens.limit,
            share=100 * tokens.beyond / tokens.tokens, fate=fate,
        )  # fmt: skip
        findings.append(Finding("long", "note", message, tokens.long))
    for kind, places, what in (
        ("wordless", tokens.empty, "{name}: {texts} without a word"),
        ("unreadable", tokens.unreadable, "{name}: {texts} without a word that the vocabulary knows"),
    ):
        if places:
            texts = quantity(len(places), "text")
            findings.append(Finding(kind, "warning", said(what, name=name, texts=texts), places))
    if tokens.unknown:
        share = tokens.unknown / tokens.read
        pieces = shown((f"{piece} ({count})" for piece, count in tokens.pieces), _PIECES_SHOWN)
        message = said(
            "{name}: {n} tokens ({share:.2f} %) are unknown to the vocabulary: {pieces}",
            name=name, n=tokens.unknown, share=100 * share, pieces=pieces,
        )  # fmt: skip
        is_much = share > _UNKNOWN
        if is_much:
            message += said(
                "; to teach them: {command}",
                command="bertwright vocab --data DATA --extend MODEL --fold-width --out NEW-MODEL",
            )
        findings.append(Finding("unknown tokens", "warning" if is_much else "note", message))
    return findings
