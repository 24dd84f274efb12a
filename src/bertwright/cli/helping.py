"""Help in the language of the reader: its texts stand in English in the code and are looked up when they are printed.

A text is looked up paragraph by paragraph; in Chinese, lines are broken by the width of what stands on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import typer
from rich.cells import cell_len

from bertwright.wording import language, worded

_EXTRA = re.compile(r"(?P<text>.*?)(?:^|  )\[(?P<extra>(?:default: |required|[\d.]*<?=?x[<>]).*)\]", re.DOTALL)
_PART = re.compile(r"\s+|[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+")
_PLACES = ("TRAIN", "STORE", "RUN_A", "RUN_B", "RUN", "DATA", "CORPUS", "MODEL", "IN", "OUT", "TEXT", "KEY=VALUE")
_PLACE = re.compile(rf"(?<![\w-])({'|'.join(_PLACES)})(?![\w-])", re.IGNORECASE)
_NEVER_FIRST = "，。、；：！？）》”’]"
_NEVER_LAST = "（《“‘"


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text, each as one line: the keys of the catalogue."""
    return [" ".join(one.split()) for one in re.split(r"\n\s*\n", text.strip())]


def needs_words(paragraph: str) -> str:
    """The phrase of the catalogue that a paragraph needs; empty for a command, which is the same in every language."""
    if re.match(r"(cat \S+ \| )?bertwright ", paragraph):
        return ""
    return paragraph


def help_of(text: str) -> str:
    """A help text in the language of the moment."""
    if language() != "zh":
        return text
    return "\n\n".join(map(worded, paragraphs(text)))


class _Page(typer.Context.formatter_class):  # type: ignore[misc, valid-type]  # that of click, or of typer's own copy of it
    """A page of help; in English it is as its base class writes it."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        for piece in ("[OPTIONS]", "COMMAND [ARGS]..."):
            args = args.replace(piece, worded(piece))
        if language() == "zh":
            args = re.sub(r"\{([\w=]+)\}|\[\[([^\]]+)\]\]\.\.\.", lambda found: found[1] or f"[{found[2]}]", args)
            args = place_names(args)
        super().write_usage(prog, args, prefix or (worded("Usage:") if language() == "zh" else "Usage: "))

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{worded(f'{heading}:')}\n")

    def write_text(self, text: str) -> None:
        if language() != "zh":
            super().write_text(text)
            return
        blocks = []
        for one in re.split(r"\n\s*\n", text.rstrip()):
            indent = " " * (self.current_indent + len(one) - len(one.lstrip(" ")))  # examples stand further in
            blocks.append("\n".join(indent + line for line in broken(help_of(one), self.width - len(indent))))
        self.write("\n\n".join(blocks) + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        if language() != "zh":
            super().write_dl(rows, col_max, col_spacing)
            return
        named = [(_kinds(name), _explained(text)) for name, text in rows]
        first = min(max(cell_len(name) for name, _ in named), col_max) + col_spacing
        for name, text in named:
            self.write(" " * self.current_indent + name)
            fits = cell_len(name) <= first - col_spacing
            self.write(" " * (first - cell_len(name)) if fits else "\n" + " " * (first + self.current_indent))
            lines = broken(text, max(self.width - first - 2, 10)) or [""]
            self.write(("\n" + " " * (first + self.current_indent)).join(lines) + "\n")


def place_names(words: str) -> str:
    """Words of a usage line with the names of arguments in the language of the moment: TRAIN, 训练数据."""
    return _PLACE.sub(lambda found: worded(found[0].upper()), words) if language() == "zh" else words


class Page(typer.Context):
    """The context of a command whose help is a `_Page`."""

    formatter_class = _Page


def _kinds(name: str) -> str:
    """`--dev <path>` with the kind of the value in words; `TRAIN` and `--set KEY=VALUE` with its name in words."""
    name = name if name.startswith("--") else place_names(name)
    name = re.sub(r"(?<= )KEY=VALUE", lambda found: worded(found[0]), name)
    return re.sub(r"<[a-zA-Z]+(\[\w+\]| range)?>", lambda found: worded(found[0]), name)


def _explained(text: str) -> str:
    """A help text with what the library adds to it: the default, the range, whether it must be given."""
    found = _EXTRA.fullmatch(text)
    if found is None:
        return help_of(text)
    extras = [_extra(one) for one in found["extra"].split("; ")]
    return f"{help_of(found['text'])}  [{'；'.join(extras)}]".strip()


def _extra(one: str) -> str:
    name, colon, value = one.partition(": ")
    if colon and name == "default":
        return worded("[default: ")[1:] + value
    return worded(f"[{one}]")[1:-1]


def broken(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces and between Chinese characters."""
    lines, line = [], ""
    for part in _units(_PART.findall(" ".join(text.split()))):
        if cell_len((line + part).rstrip()) > width and line.strip():
            lines.append(line.rstrip())
            line = ""
        line += part if line else part.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _units(parts: Iterable[str]) -> Iterator[str]:
    """Parts that a line may begin with: a closing mark stays with what it closes, an opening one with what follows."""
    unit = ""
    for part in parts:
        if unit and part not in _NEVER_FIRST and unit[-1] not in _NEVER_LAST:
            yield unit
            unit = ""
        unit += part
    if unit:
        yield unit
