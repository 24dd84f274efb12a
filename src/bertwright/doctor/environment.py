"""Environment variables that change what this toolkit does, and whether the terminal can show Chinese."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

from bertwright.doctor.probe import Finding, Mark
from bertwright.errors import LANGUAGES, language

SECTION = "environment"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_PLAIN = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE")
_LOCALE = ("BERTWRIGHT_LANG", "LC_ALL", "LANG", "PYTHONIOENCODING", "PYTHONUTF8", "CUDA_VISIBLE_DEVICES")
_SECRET = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_TRUE = {"1", "on", "yes", "true"}


def variables() -> Iterator[Finding]:
    """Those that are set, with passwords hidden, and the names of the others."""
    unset = []
    for name in (*_PLAIN, *_both_cases(), *_LOCALE, *_SECRET):
        value = os.environ.get(name)
        if value is None:
            if name.isupper():
                unset.append(name)
            continue
        if name in _SECRET:
            yield Finding(SECTION, name, "set (not shown; downloads do not send it)")
            continue
        shown = without_password(value) if "://" in value or "PROXY" in name.upper() else value
        hint = _hint(name, value)
        yield Finding(SECTION, name, shown or "(empty)", Mark.NOTE if hint else Mark.OK, hint)
    yield Finding(SECTION, "not set", ", ".join(unset) or "none")


def messages() -> Iterator[Finding]:
    """The language of errors."""
    yield Finding(SECTION, "language of errors", {"en": "English", "zh": "Chinese"}[language()])


def chinese_output() -> Iterator[Finding]:
    """Whether what is printed may hold Chinese."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "中文".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        hint = "set PYTHONIOENCODING=utf-8" + (" and type: chcp 65001" if os.name == "nt" else "")
        yield Finding(SECTION, "stdout", f"{encoding}: cannot print Chinese", Mark.NOTE, hint)
    else:
        yield Finding(SECTION, "stdout", f"{encoding}: can print Chinese")


def without_password(address: str) -> str:
    """The address of a proxy or a mirror without the name and the password in it.

    A password may hold `@`, `/` and `:`, so everything between the scheme and the last `@` goes.
    """
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", address)
    start = scheme[0] if scheme else ""
    rest = address[len(start) :]
    return f"{start}***@{rest.rpartition('@')[2]}" if "@" in rest else address


def _both_cases() -> Iterator[str]:
    """Proxies are read in capitals and in small letters; where both say the same, one is enough."""
    for name in _PROXIES:
        yield name
        if os.environ.get(name.lower()) not in (None, os.environ.get(name)):
            yield name.lower()


def _hint(name: str, value: str) -> str:
    if name == "HF_HUB_OFFLINE" and value.lower() in _TRUE:
        return "nothing is downloaded: names must be in the cache; unset it to download"
    if name == "HF_ENDPOINT" and not value.startswith(("http://", "https://")):
        return "must begin with https://"
    if name == "BERTWRIGHT_LANG" and not value.lower().startswith(LANGUAGES):
        return f"known: {', '.join(LANGUAGES)}"
    if name == "CUDA_VISIBLE_DEVICES" and value in ("", "-1"):
        return "hides every GPU"
    return ""
