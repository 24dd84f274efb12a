"""The reasons that libraries and the system give, in the language of the reader.

They come in English only. The frequent ones stand in the catalogue (`messages/phrases/reasons.toml`); numbers, names
and places in them are kept, and what is not known stays as it came.
"""

from __future__ import annotations

import re
from typing import Any

from bertwright.wording import Phrase, phrases

# Each form, and the phrase that says it with the facts of its groups; `what` is a reason itself.
_FORMS = (
    (
        re.compile(r"(?P<what>.+): line (?P<line>\d+) column (?P<column>\d+) \(char (?P<char>\d+)\)", re.DOTALL),
        "{what}: line {line} column {column} (char {char})",
    ),
    (
        re.compile(r"(?P<what>.+) \(at line (?P<line>\d+), column (?P<column>\d+)\)", re.DOTALL),
        "{what} (at line {line}, column {column})",
    ),
    (re.compile(r"(?P<what>.+) \(at end of document\)", re.DOTALL), "{what} (at end of document)"),
    (re.compile(r"\[Errno (?P<number>-?\d+)\] (?P<what>[^:]+)", re.DOTALL), "[Errno {number}] {what}"),
    (
        re.compile(r"\[Errno (?P<number>-?\d+)\] (?P<what>[^:]+): (?P<file>.+)", re.DOTALL),
        "[Errno {number}] {what}: {file}",
    ),
    (
        re.compile(
            r"'(?P<encoding>\S+)' codec can't decode bytes? (?P<bytes>.+) in position (?P<at>[\d-]+): (?P<what>.+)",
            re.DOTALL,
        ),
        "'{encoding}' codec can't decode byte {bytes} in position {at}: {what}",
    ),
    (
        re.compile(r"Error while deserializing header: (?P<what>.+)", re.DOTALL),
        "Error while deserializing header: {what}",
    ),
    (re.compile(r"invalid JSON in header: (?P<what>.+)", re.DOTALL), "invalid JSON in header: {what}"),
    (
        re.compile(r"Cannot reach (?P<url>\S+): offline mode is enabled\..*", re.DOTALL),
        "Cannot reach {url}: offline mode is enabled (HF_HUB_OFFLINE)",
    ),
    (
        re.compile(r"(?:Client error|Server error) '(?P<status>[^']+)' for url '(?P<url>[^']+)'.*", re.DOTALL),
        "the server answers {status} for {url}",
    ),
    (
        re.compile(r"(?P<status>[45]\d\d) (?:Client|Server) Error.* for url: (?P<url>\S+).*", re.DOTALL),
        "the server answers {status} for {url}",
    ),
    (
        re.compile(r"HTTPS?ConnectionPool\(host='(?P<host>[^']+)'.*", re.DOTALL),
        "no connection to {host}",
    ),
    (re.compile(r"Not a gzipped file \((?P<bytes>.+)\)", re.DOTALL), "Not a gzipped file ({bytes})"),
    (re.compile(r"Expected (?P<signs>'[^']+'|\"'\")(?: (?:at|after) .*)?", re.DOTALL), "Expected {signs}"),
    (re.compile(r"Cannot declare (?P<key>.+) twice", re.DOTALL), "Cannot declare {key} twice"),
    (re.compile(r"Duplicate inline table key (?P<key>.+)", re.DOTALL), "Duplicate inline table key {key}"),
    (re.compile(r"(?:Illegal|Found invalid) character (?P<sign>.+)", re.DOTALL), "Illegal character {sign}"),
    (
        re.compile(r"field larger than field limit \((?P<limit>\d+)\)", re.DOTALL),
        "field larger than field limit ({limit})",
    ),
)
_WHOLE = (  # said as they stand
    "Expecting value", "Expecting ',' delimiter", "Expecting ':' delimiter", "Expecting ',' or ']'", "Expecting ':'",
    "Unterminated string starting at", "Invalid control character at", "Invalid \\escape",
    "Illegal trailing comma before end of object", "Illegal trailing comma before end of array",
    "Invalid value", "Invalid statement", "Invalid date or datetime", "Invalid initial character for a key part",
    "Cannot overwrite a value", "Unclosed array", "Unclosed inline table", "Unterminated string",
    "Unescaped '\\' in a string", "Expected newline or end of document after a statement",
    "No such file or directory", "Permission denied", "Operation not permitted", "Is a directory", "Not a directory",
    "No space left on device", "Disk quota exceeded", "File too large", "Read-only file system", "File name too long",
    "Too many levels of symbolic links", "Input/output error", "File exists", "Directory not empty",
    "Too many open files", "Cannot allocate memory",
    "Connection refused", "Connection timed out", "Connection reset by peer", "Network is unreachable",
    "No route to host", "Name or service not known", "Temporary failure in name resolution", "timed out",
    "The read operation timed out",
    "invalid start byte", "invalid continuation byte", "unexpected end of data", "illegal multibyte sequence",
    "incomplete multibyte sequence", "header too small", "header too large",
    "incomplete metadata, file not fully covered", "File is not a zip file",
    "Compressed file ended before the end-of-stream marker was reached", "Input format not supported by decoder",
    "Invalid data stream", "Corrupt input data", "line contains NUL", "',' expected after '\"'",
)  # fmt: skip


def explained(reason: Any) -> Any:
    """A reason of a library as a phrase, where it is known; else as it is.

    Args:
        reason: an exception, a text, or a phrase of ours already.
    """
    if isinstance(reason, Phrase):
        return reason
    text = str(reason)
    if text in phrases():
        return Phrase(text)
    for form, phrase in _FORMS:
        if found := form.fullmatch(text):
            facts = found.groupdict()
            return Phrase(phrase, **{name: explained(fact) if name == "what" else fact for name, fact in facts.items()})
    return reason
