"""The one way in which text reaches a terminal: what users wrote stays as it is, and none of it is obeyed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from bertwright.wording import visible


class _PlainConsole(Console):
    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


class ForTerminal:
    """A terminal on which nothing that is printed is obeyed; rich, which draws on it, writes to the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)

    def write(self, text: str) -> int:
        """Write it with what a terminal obeys as escapes."""
        self.rich_proxied_file.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)


def plain_console(**options: Any) -> Console:
    """A console that takes neither `:smile:` nor `[red]` nor a control character for more than characters."""
    return _PlainConsole(emoji=False, markup=False, **options)


def plain_text(text: object) -> Text:
    """A cell or a line: its width is that of what is seen."""
    return Text(visible(str(text)))


def remarks_console() -> Console:
    """The one on stderr for how far something is; silent where only warnings are wanted."""
    return plain_console(stderr=True, quiet=not logging.getLogger("bertwright").isEnabledFor(logging.INFO))
