"""Proof that nothing used the network: Python's own audit events, watched from here to the end."""

from __future__ import annotations

import sys
from typing import Any

from bertwright.doctor.probe import Finding, Mark
from bertwright.wording import said

_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}


class NetworkWatch:
    """Every connection and every name lookup that Python code attempts while this watches.

    Sockets between processes of this machine that have no network address (Unix sockets) are not the network.
    What a library does in C without Python's sockets raises no event, nor does another program.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self._watching = True
        sys.addaudithook(self._hear)  # a hook cannot be taken off again; `stop` makes it deaf

    def stop(self) -> None:
        """Hear nothing any more."""
        self._watching = False

    def finding(self) -> Finding:
        """The line of the report."""
        if not self.attempts:
            value = said("no connection and no name lookup in this whole run (audit of Python's sockets)")
            return Finding(said("offline proof"), value)
        count, first = len(self.attempts), ", ".join(dict.fromkeys(self.attempts[:5]))
        hint = said("a library opens connections by itself; HF_HUB_OFFLINE=1 stops the usual one")
        used = said("{n} uses of the network: {first}", n=count, first=first)
        return Finding(said("offline proof"), used, Mark.MISSING, hint)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event in _LOOKUPS:
            self.attempts.append(f"{event} {given[0]!r}")
        elif event in _SENDS:
            address = given[-1]
            if isinstance(address, tuple):  # a Unix socket's address is a string; None: connected before
                self.attempts.append(f"{event} {address[0]!r}")
