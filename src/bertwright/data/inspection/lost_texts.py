"""Texts of which something was lost before they came here, or that are something else than texts."""

from __future__ import annotations

import re

from bertwright.data.inspection.finding import Finding
from bertwright.data.reading.tables import Table
from bertwright.wording import quantity, said

_BROKEN = re.compile(r"\ufffd|[?？]{4,}|锟斤拷|烫烫烫|[ÃÂ][\x80-\xbf]|(?:[ãäåæçèé][\x80-\xbf‚-›Œ-ž]{1,2}){2}")
_ESCAPED = re.compile(r"\\[nrt](?![a-z])|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
_NOTHING = re.compile(r"(?:nan|null|none|nil|n/a|<na>|#name\?|#value!|#ref!|#n/a|#null!|#div/0!)", re.IGNORECASE)
_NO_TEXT = re.compile(r"[\d.,:/\- ]+|https?://\S+|\S+\.(?:jpe?g|png|gif|wav|mp3|mp4|pdf|txt|html?)", re.IGNORECASE)
_MOST = 0.5  # of the texts

_KINDS = (
    ("damaged", _BROKEN.search, "{name}: characters were lost in {texts}, such as '{text}': read with a wrong "
     "encoding once, and saved so; go back to the file before that"),
    ("escaped", _ESCAPED.search, "{name}: {texts} with signs that stand for others (\\n, \\u4f60), such as "
     "'{text}'; a model reads them as they are written"),
    ("absent", _NOTHING.fullmatch, "{name}: {texts} that may stand for a missing one, such as '{text}'; leave "
     "such cells empty"),
    ("textless", _NO_TEXT.fullmatch, "{name}: {texts} of numbers, links or names of files only, such as '{text}'; is "
     "this the column of the texts?"),
)  # fmt: skip


def of_lost_texts(table: Table, name: str) -> list[Finding]:
    """One warning for each kind; of `textless` where they are the most."""
    findings = []
    for kind, found, what in _KINDS:
        ones = [one for one in table.examples if found(one.text.strip())]
        if ones and (kind != "textless" or len(ones) > _MOST * len(table.examples)):
            message = said(what, name=name, texts=quantity(len(ones), "text"), text=ones[0].text.strip()[:40])
            findings.append(Finding(kind, "warning", message, tuple(one.where for one in ones)))
    return findings
