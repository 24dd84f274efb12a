"""The one way in which a file is written: whole or not at all, through links, into devices and pipes as they are."""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, said

log = logging.getLogger("bertwright")

_MOST_LINKS = 40  # as many as Linux follows
_OWN_STREAMS = "/proc/self/fd"


def write_text(file: Path, text: str) -> None:
    """Replace `file` by `text` in UTF-8, as `write_bytes`.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    write_bytes(file, text.encode())


def write_bytes(file: Path, content: bytes) -> None:
    """Replace `file` by `content`, whole or not at all; of a link, what it leads to. A device or a pipe is written to.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    if is_stream(file):
        with opened_stream(file) as stream:
            stream.write(content)
        return
    with replacing(file) as staging, new_file(staging) as stream:
        stream.write(content)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A place beside `file`, or beside what that leads to, where nothing lies: what the block writes there takes the
    place of the file when it ends well, and is gone otherwise.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it, BW644 a NUL in the path.
    """
    require_path(file)
    there = Path(os.path.realpath(file))
    staging = staging_of(there)
    try:
        staging.unlink(missing_ok=True)  # of a process that was killed, or a link that somebody laid there
        yield staging
        settle(staging, there)
    except OSError as error:
        raise BertwrightError("BW501", folder=file, reason=error.strerror or error) from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing can be taken away either
            staging.unlink(missing_ok=True)


def staging_of(file: Path) -> Path:
    """Where `replacing` writes until `file` is replaced; a process that was killed leaves it behind."""
    return file.with_name(f".{file.name}.tmp")


def settle(staging: Path, file: Path) -> None:
    """Give a whole file its name once the disk has it; what was called so is gone. Nothing else in the house does."""
    flush(staging)
    os.replace(staging, file)  # noqa: PTH105  (the one place where it is done)


def flush(path: Path) -> None:
    """Wait until the disk has it: a rename that outlives a power cut must not outlive its content."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def new_file(path: Path) -> IO[bytes]:
    """A file that was not there, open for writing; raises `FileExistsError`, also where a link lies."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _no_follow(), 0o666), "wb")


def opened_to_append(path: Path) -> IO[bytes]:
    """A file that is there or is made now, open at its end; raises `OSError` where it is a link."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _no_follow(), 0o666), "ab")


def _no_follow() -> int:
    return getattr(os, "O_NOFOLLOW", 0)


def is_stream(file: Path) -> bool:
    """Whether what is written there flows on: a device, a pipe, a socket, a stream of this process, a link to one."""
    if _own_stream(file) is not None:
        return True
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):  # nothing is there; a NUL
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def opened_stream(file: Path) -> Iterator[IO[bytes]]:
    """A device, a pipe, a socket or a stream of this process, open for writing.

    Raises:
        BertwrightError: BW501 it does not take what is written.
        BrokenPipeError: it is stdout, and its reader has seen enough.
    """
    try:
        with _stream(file) as stream:
            yield stream
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _own_stream(file) == 1:
            raise
        raise BertwrightError("BW501", folder=file, reason=error.strerror or error) from error


def _stream(file: Path) -> IO[bytes]:
    if (number := _own_stream(file)) is not None:
        for printed in (sys.stdout, sys.stderr):
            printed.flush()  # what was said before stands before
        return os.fdopen(os.dup(number), "wb")
    if stat.S_ISSOCK(file.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.fspath(file))
            return connection.makefile("wb")
    return os.fdopen(os.open(file, os.O_WRONLY), "wb")


def _own_stream(file: Path) -> int | None:
    """The number of the stream of this process that a path such as `/dev/stdout`, or a link to it, means.

    Opened anew, it would be a file with a place of its own: what is printed later would be written over it.
    """
    path = os.path.abspath(file)  # noqa: PTH100  (links are followed one by one)
    own = os.path.realpath(_OWN_STREAMS)
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(path)
        if name.isdecimal() and os.path.realpath(folder) == own:
            return int(name)
        if not os.path.islink(path):  # noqa: PTH114  (a NUL is no link)
            return None
        path = os.path.normpath(os.path.join(folder, os.readlink(path)))  # noqa: PTH115, PTH118
    return None


def require_path(path: object) -> None:
    """Refuse what no system takes for a path.

    Raises:
        BertwrightError: BW644 a NUL in it, BW646 nothing at all.
    """
    if path == "":
        raise BertwrightError("BW646", argument=Phrase("a path"))
    if "\0" in str(path):
        raise BertwrightError("BW644", path=repr(str(path)))


def place_for(output: Path, reads: Path) -> None:
    """Make the folder of a file that will be written, before the work, and say so.

    Raises:
        BertwrightError: BW501 it cannot be made, BW576 the file is what is read, or would lie in it, BW644 a NUL.
    """
    require_path(output)
    there, source = Path(os.path.realpath(output)), Path(os.path.realpath(reads))
    if there == source or (source.is_dir() and there.is_relative_to(source)):
        raise BertwrightError("BW576", file=output, source=reads)
    if is_stream(output) or there.parent.exists():
        return
    try:
        there.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BertwrightError("BW501", folder=output, reason=error.strerror or error) from error
    log.info(said("the folder {folder} was not there and is made", folder=output.parent))


def say_if_replaced(output: Path) -> None:
    """Say, before it happens, that a file which a person asked for takes the place of another one."""
    if output.is_file() and not is_stream(output):
        log.info(said("{output} was there and is replaced", output=output))
