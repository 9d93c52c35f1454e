"""
Middleware around the routes: known hosts, bounded bodies, headers that keep a page to itself, refusals, and metrics for
Prometheus, which are counts and times, never a name or a text.

Plain ASGI, because a wrapper of responses would cost each request more than its route does.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transcribe.desk_records import DialectProgress

#: The media type of metrics.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Largest body, as it comes and unpacked: fifty texts of the longest kind would still fit.
MOST_BYTES = 2 << 20

#: Scripts and sounds come from here and nowhere else; nobody frames the desk. The nonce is for the one style sheet
#: that the waveform writes into its shadow.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{nonce}; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)
_NO_STORE = (b"cache-control", b"private, no-store")
_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_HOST = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$")


def policy(nonce: str = "") -> str:
    """Return the content security policy, with a nonce for one style sheet where there is one."""
    return _POLICY.format(nonce=f" 'nonce-{nonce}'" if nonce else "")


class Refused(Exception):
    """A request that is not answered, with the status and the words that it gets."""

    def __init__(
        self, status: int, code: str, message: str, *, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.hint, self.retry_after = hint, retry_after


class SecurityMiddleware:
    """Wraps the routes. *hosts* are the names that the desk answers to; none: to any."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], secure: bool, metrics: Metrics) -> None:
        self._app, self._hosts, self._secure, self._metrics = app, frozenset(hosts), secure, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        # A scope of our own: the router writes into it which route it found.
        headers, routed_scope = dict(scope["headers"]), dict(scope)

        async def send_secured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(scope["path"], message["headers"])
            await send(message)

        refusal = self._refusal(headers)
        if refusal is not None:
            await _refuse(send_secured, *refusal)
        else:
            await self._pass_body(routed_scope, headers, receive, send_secured)
        route = getattr(routed_scope.get("route"), "path", "screen")
        self._metrics.requests.labels(route, scope["method"], str(status)).inc()
        self._metrics.seconds.labels(route).observe(time.perf_counter() - began)

    async def _pass_body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        """Read the body, unpack it, and hand all of it on; a body that is too large or broken ends here."""
        if scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            body = await _read_body(receive, packed=headers.get(b"content-encoding", b"").lower() == b"gzip")
        except Refused as error:
            await _refuse(send, error.status, error.code, error.message)
            return
        headers_left = [
            (key, value) for key, value in scope["headers"] if key not in (b"content-encoding", b"content-length")
        ]
        scope["headers"] = [*headers_left, (b"content-length", str(len(body)).encode())]
        body_sent = False

        async def receive_body() -> Message:
            nonlocal body_sent
            if body_sent:
                return await receive()
            body_sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_body, send)

    def _refusal(self, headers: dict[bytes, bytes]) -> tuple[int, str, str] | None:
        host = headers.get(b"host", b"").decode("latin-1")
        match = _HOST.match(host)
        name = match[1].strip("[]").lower() if match else ""
        if not match or (self._hosts and name not in self._hosts):
            return 400, "E_HOST", "the desk is not known by this name; it belongs into desk.hosts"
        size = headers.get(b"content-length", b"0")
        if not size.isdigit() or int(size) > MOST_BYTES:
            return 413, "E_TOO_LARGE", f"a request has {MOST_BYTES} bytes at most; send fewer texts at once"
        return None

    def _headers(self, path: str, headers: Collection[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {key.lower() for key, _ in headers}
        secured = [*headers, *_ALWAYS]
        if b"content-security-policy" not in names:
            secured.append((b"content-security-policy", policy().encode()))
        if b"cache-control" not in names:
            secured.append(_NO_STORE)
        if self._secure:
            secured.append(_TLS_ONLY)
        return secured


async def _read_body(receive: Receive, *, packed: bool) -> bytes:
    unpacker = zlib.decompressobj(wbits=31) if packed else None
    parts: list[bytes] = []
    size, received = 0, 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "E_CUT", "the request ended before its body")
        piece: bytes = message.get("body", b"")
        received += len(piece)
        try:
            piece = unpacker.decompress(piece, MOST_BYTES + 1 - size) if unpacker else piece
        except zlib.error as error:
            raise Refused(400, "E_PACKED", "the body is said to be gzip, and is not") from error
        parts.append(piece)
        size += len(piece)
        if size > MOST_BYTES or received > MOST_BYTES or (unpacker is not None and unpacker.unconsumed_tail):
            raise Refused(413, "E_TOO_LARGE", f"a request has {MOST_BYTES} bytes at most; send fewer texts at once")
        if not message.get("more_body", False):
            break
    if unpacker is not None and not unpacker.eof:
        raise Refused(400, "E_PACKED", "the packed body is cut off")
    return b"".join(parts)


def error_document(code: str, message: str, *, hint: str | None = None, item: str | None = None) -> dict[str, Any]:
    """Return an error in the shape of every command's."""
    error = {"code": code, "message": message, "hint": hint, "item": item}
    return {"schema": "boli.error/1", "ok": False, "error": error}


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps(error_document(code, message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "boli_requests", "Answered requests.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "boli_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.texts = Counter(
            "boli_texts", "Texts that came in, by what became of them.", ["status"], registry=self.registry
        )
        self.listens = Counter("boli_listens", "Openings of a segment's sound.", registry=self.registry)
        self.waiting = Gauge("boli_writer_waiting", "Writes that have not begun.", registry=self.registry)

    def text(self, progress: Iterable[DialectProgress]) -> bytes:
        """Return all metrics in the format that Prometheus reads."""
        desk = CollectorRegistry()
        desk.register(_Desk(list(progress)))
        return generate_latest(self.registry) + generate_latest(desk)


class _Desk(Collector):
    """Segments by dialect and state, counted when asked."""

    def __init__(self, progress: list[DialectProgress]) -> None:
        self._progress = progress

    def collect(self) -> Iterator[GaugeMetricFamily]:
        segments = GaugeMetricFamily("boli_segments", "Segments on the desk.", labels=["dialect", "state"])
        accepted = GaugeMetricFamily("boli_accepted_seconds", "Sound with an accepted text.", labels=["dialect"])
        for progress in self._progress:
            for state, count in sorted(progress.segments.items()):
                segments.add_metric([progress.dialect, state], count)
            accepted.add_metric([progress.dialect], progress.accepted / 1_000)
        yield segments
        yield accepted
