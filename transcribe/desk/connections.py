"""
The connections of the desk: how many there are, from one address and in all, and how long each may take over a request.

uvicorn has a limit on requests, which refuses everybody at once, and none on heads: httptools gathers a header for as
long as its client sends. So its protocol is extended here by counts and one timer a connection.
"""

from __future__ import annotations

import asyncio
import json
import resource
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any, Literal, TypeAlias, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from transcribe.config import DeskSettings
from transcribe.desk.limits import address_group
from transcribe.desk.middleware import error_document

#: Bytes that are parsed at a time: so much more than its limit may be gathered of a head before it is refused.
_PIECE_BYTES = 4_096
#: Files that a desk has open beside its connections: databases, clips, pages.
_OTHER_FILES = 256

Phase: TypeAlias = Literal["head", "body", "idle"]


def fit_connections(wanted: int) -> int:
    """Return how many of *wanted* connections this process may have open, after its limit of files was raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most_files = wanted + _OTHER_FILES if hard == resource.RLIM_INFINITY else min(hard, wanted + _OTHER_FILES)
    if soft != resource.RLIM_INFINITY and soft < most_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, hard))
    return min(wanted, max(most_files - _OTHER_FILES, most_files // 2))


class ConnectionTable:
    """
    The open connections, by address. Where there are too many, the one that waits longest for its client makes room.

    So a client that opens as many as it can closes its own, and somebody at the same address still gets through.
    """

    def __init__(
        self,
        limits: DeskSettings,
        *,
        most: int,
        is_proxy: Callable[[str], bool] = lambda host: False,
        is_allowed: Callable[[str], bool] = lambda host: True,
    ) -> None:
        """
        Take the *limits* of one address.

        Args:
            most: Connections in all.
            is_proxy: Tells a host that many people come by, which has no limit of its own.
            is_allowed: Tells a host that may connect at all.
        """
        self.limits = limits
        #: Counts the waits for clients: the loop's clock is too coarse to order them.
        self.turns = count()
        self._most, self._is_proxy, self._is_allowed = most, is_proxy, is_allowed
        self._by_address: defaultdict[str, set[BoundedProtocol]] = defaultdict(set)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, connection: BoundedProtocol) -> bool:
        """Take *connection* in, and tell if there was room or could be made."""
        if not self._is_allowed(connection.host):
            return False
        peers = self._by_address[connection.address]
        if len(peers) >= self.limits.most_connections_address and not self._is_proxy(connection.host):
            if not _drop_longest_waiting(peers):
                return False
        elif self._count >= self._most and not _drop_longest_waiting(self._list_all()):
            return False
        peers.add(connection)
        self._count += 1
        return True

    def remove(self, connection: BoundedProtocol) -> None:
        """Forget *connection*; one that was not taken in is forgotten."""
        peers = self._by_address.get(connection.address, set())
        if connection in peers:
            peers.remove(connection)
            self._count -= 1
        if not peers:
            self._by_address.pop(connection.address, None)

    def protocol(self) -> type[asyncio.Protocol]:
        """Return what uvicorn makes a connection's protocol with."""
        return cast("type[asyncio.Protocol]", partial(BoundedProtocol, table=self))

    def _list_all(self) -> Iterable[BoundedProtocol]:
        return (connection for peers in self._by_address.values() for connection in peers)


def _drop_longest_waiting(connections: Iterable[BoundedProtocol]) -> bool:
    """Close the connection that waits longest for its client, those without any whole request first."""
    waiting = [connection for connection in connections if connection.is_waiting]
    if not waiting:
        return False
    min(waiting, key=lambda connection: (connection.requests > 0, connection.since)).drop()
    return True


class BoundedProtocol(HttpToolsProtocol):
    """One connection, which ends where its client takes too long or sends too much that is no body."""

    def __init__(self, *, table: ConnectionTable, **parts: Any) -> None:
        super().__init__(**parts)
        self.host, self.address = "", ""
        #: Its turn among all waits for clients, and the client's whole requests so far.
        self.since, self.requests = 0, 0
        self._table, self._limits = table, table.limits
        self._phase: Phase = "head"
        #: Bytes since the request began, or since the last piece of its body.
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Tell if the client has to go on, and not the desk."""
        return self._phase == "body" or not self._is_answering

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def drop(self) -> None:
        """End the connection at once."""
        self._table.remove(self)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.host = self.client[0] if self.client else ""
        self.address = address_group(self.host)
        if self._table.add(self):
            self._wait_for("head", self._limits.head_s)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE_BYTES):
            if self.transport.is_closing():
                return
            if self._phase == "idle":
                self._wait_for("head", self._limits.head_s)
            piece = data[start : start + _PIECE_BYTES]
            self._bytes += len(piece)
            super().data_received(piece)
            if self._phase != "idle" and self._bytes > self._limits.head_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        if self._phase == "idle":
            self._wait_for("head", self._limits.head_s)
        self._bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if len(self.url) > self._limits.line_bytes:
            self._refuse(414, f"an address has {self._limits.line_bytes} bytes at most")
        elif len(self.url) + sum(len(name) + len(text) + 4 for name, text in self.headers) > self._limits.head_bytes:
            self._refuse_head()
        if not self.transport.is_closing():
            self._wait_for("body", self._limits.body_s)
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.transport.is_closing():
            return
        super().on_message_complete()
        self._stop_timer()
        self._phase, self.since, self._bytes = "idle", next(self._table.turns), 0
        self.requests += 1

    def _wait_for(self, phase: Phase, seconds: float) -> None:
        """Give the client *seconds* for the whole of the next part."""
        self._stop_timer()
        self._phase, self.since, self._bytes = phase, next(self._table.turns), 0
        self._timer = self.loop.call_later(seconds, self._end_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_late(self) -> None:
        if self._phase == "head" and self._is_answering:
            # The request before this one is the desk's to end.
            self._wait_for("head", self._limits.head_s)
        elif self.headers is None and not self._bytes:
            self.transport.abort()
        else:
            self._refuse(408, f"the request's {self._phase} took too long")

    def _refuse_head(self) -> None:
        self._refuse(431, f"a request's head has {self._limits.head_bytes} bytes at most")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in the desk's words, unless an answer is under way, and end the connection."""
        if self.transport.is_closing():
            return
        if not self._is_answering or (self._phase == "body" and not self.cycle.response_started):
            body = json.dumps(error_document("E_REQUEST", message)).encode()
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            self.transport.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()
