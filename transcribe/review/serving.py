"""The process: where it may listen, and everything that is open while it does."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dialects.scoring
from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.preparing import Preparer
from transcribe.config import DeskSettings
from transcribe.errors import ConfigError, UnfitError
from transcribe.masking import terms_in
from transcribe.review import SCREEN
from transcribe.review.app import build
from transcribe.review.clips import Clips
from transcribe.review.links import Signer, keys_in
from transcribe.review.service import Service
from transcribe.review.shadings import Shader
from transcribe.review.widths import Widths
from transcribe.review.writer import Writer
from transcribe.store import Store
from transcribe.store.submitting import Differ

#: Seconds that one thread may keep the others waiting.
_SWITCH_S = 0.0001


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where the desk listens, and how."""

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    proxy: str | None
    #: Names that it answers to; none: to any.
    hosts: tuple[str, ...]

    @property
    def secure(self) -> bool:
        """Whether browsers come by TLS, to this process or to the declared proxy."""
        return self.certificate is not None or self.proxy is not None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"


def door(settings: DeskSettings, workspace: Path) -> Door:
    """
    Where the desk may listen.

    Raises:
        ConfigError: If others could reach it without TLS, or half of the certificate is missing.
    """
    certificate, key = (_file(name, workspace) for name in (settings.tls_certificate, settings.tls_key))
    if (certificate is None) != (key is None):
        raise ConfigError(
            "one of desk.tls_certificate and desk.tls_key is set without the other", hint="set both, or neither"
        )
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise ConfigError(f"{file} is not there", hint="desk.tls_certificate and desk.tls_key name PEM files")
    if not is_loopback(settings.host) and certificate is None and settings.proxy is None:
        raise ConfigError(
            f"desk.host {settings.host} would let others in without TLS",
            code="E_OPEN",
            hint="set desk.tls_certificate and desk.tls_key, or desk.proxy to the address of the proxy that ends TLS",
            item="desk.host",
        )
    own = () if settings.host in ("0.0.0.0", "::") else (settings.host,)  # noqa: S104 - compared, not bound
    known = ("localhost", "127.0.0.1", "::1") if is_loopback(settings.host) else ()
    # Who listens on every address and names no host answers to any name.
    hosts = tuple(name.lower() for name in (*settings.hosts, *own, *known)) if settings.hosts or own else ()
    return Door(
        host=settings.host, port=settings.port, certificate=certificate, key=key, proxy=settings.proxy, hosts=hosts
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches *host*. A name other than ``localhost`` may mean anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def opened(store: Store, settings: DeskSettings, workspace: Path, catalogue: Catalogue) -> Iterator[Service]:
    """A desk at work on *store*; on leaving, what was asked for is written."""
    place = door(settings, workspace)
    store.terms = terms_in(_file(settings.mask_terms, workspace))
    writer = Writer(store)
    try:
        yield Service(
            store=store,
            writer=writer,
            signer=Signer(keys_in(workspace / "desk.key")),
            clips=Clips(workspace / "audio", workspace / "cache" / "clips", bitrate=settings.bitrate),
            settings=settings,
            differ=differ(catalogue),
            catalogue=catalogue,
            workspace=workspace,
            screen=SCREEN,
            measure=Widths(store, catalogue).now,
            shade=Shader(store, catalogue).now,
            secure=place.secure,
        )
    finally:
        writer.close()


def serve(service: Service, place: Door, *, told: Callable[[str], None]) -> None:
    """
    Answer requests until somebody says stop.

    Args:
        told: Gets the address once the desk answers there; from then on SIGINT and SIGTERM end it in good order.

    Raises:
        UnfitError: If the address is taken.
    """
    import uvicorn

    # The writer gives the interpreter up at each call of SQLite, a dozen times a text; a busy event loop is to give it
    # back soon each time.
    sys.setswitchinterval(_SWITCH_S)
    listening = _listen(place)
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        build(service, hosts=place.hosts),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=place.proxy is not None,
        forwarded_allow_ips=place.proxy or "",
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
        h11_max_incomplete_event_size=32 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        limit_concurrency=2_000,
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            told(place.url.rsplit(":", 1)[0] + f":{port}")

    Server(config).run(sockets=[listening])


def differ(catalogue: Catalogue) -> Differ:
    """How far two people's texts differ by the rules of a dialect: errors over the mean number of words."""
    prepare = Preparer(catalogue)

    def rate(dialect: str | None, one: str, other: str) -> float | None:
        pair = dialects.scoring.Pair(id="", reference=one, hypothesis=other, dialect=dialect or "und", speaker="")
        try:
            prepared = prepare(pair)
        except DialectError:
            # Of a dialect that nobody named no rule is known: the texts are compared as they are.
            return _rate(one.split(), other.split())
        return _rate(prepared.reference, prepared.hypothesis)

    return rate


def _rate(one: list[str], other: list[str]) -> float | None:
    if not one and not other:
        return None
    _, substitutions, deletions, insertions = dialects.scoring.count(one, other)
    return 2 * (substitutions + deletions + insertions) / (len(one) + len(other))


def _listen(place: Door) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Handed on to each connection, so that a small answer need not wait for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((place.host, place.port))
    except OSError as error:
        listening.close()
        raise UnfitError(
            f"{place.url} cannot be listened on: {error.strerror}",
            code="E_ADDRESS",
            hint="another program may be there; choose desk.port, 0 for any",
            item=place.url,
        ) from error
    listening.listen(1_024)
    return listening


def _file(name: str | None, workspace: Path) -> Path | None:
    return None if name is None else workspace / name
