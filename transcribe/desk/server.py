"""The process of the desk: its address, and everything that is open while it serves."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import dialects.scoring.word_errors
from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from transcribe.config import DeskSettings
from transcribe.desk import SCREEN
from transcribe.desk.app import build
from transcribe.desk.auth import Signer, read_keys
from transcribe.desk.clips import Clips
from transcribe.desk.limits import Throttle
from transcribe.desk.passwords import HashQueue
from transcribe.desk.priority import Widths
from transcribe.desk.state import Service
from transcribe.desk.word_confidence import Shader
from transcribe.desk.writer import Writer
from transcribe.errors import ConfigError, UnfitError
from transcribe.redaction import terms_in
from transcribe.store import Store
from transcribe.store.submissions import Differ

#: Seconds that one thread may keep the others waiting.
_SWITCH_S = 0.0001
#: Bits that a network of proxies has in common at least, by IP version: anybody may be in a wider one.
_WIDEST_PROXIES = {4: 16, 6: 48}


@dataclass(frozen=True, kw_only=True)
class BindAddress:
    """The address that the desk listens on, with its certificate and names."""

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    proxy: str | None
    #: Names that it answers to; none: to any.
    hosts: tuple[str, ...]

    @property
    def secure(self) -> bool:
        """Tell if browsers come by TLS, to this process or to the declared proxy."""
        return self.certificate is not None or self.proxy is not None

    def is_proxy(self, host: str) -> bool:
        """Check that *host* is a declared proxy, whose word on its clients is taken."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in _parse_proxies(self.proxy))

    def is_allowed(self, host: str) -> bool:
        """Check that *host* may connect: without TLS only this machine and declared proxies may."""
        return self.certificate is not None or is_loopback(host.removeprefix("::ffff:")) or self.is_proxy(host)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"


def bind_address(settings: DeskSettings, workspace: Path) -> BindAddress:
    """
    Return the address that *settings* name, if the desk may listen there.

    Raises:
        ConfigError: If others could reach it without TLS, a proxy is no address, or half of the certificate is missing.
    """
    certificate, key = (_path_in(name, workspace) for name in (settings.tls_certificate, settings.tls_key))
    if (certificate is None) != (key is None):
        raise ConfigError(
            "one of desk.tls_certificate and desk.tls_key is set without the other", hint="set both, or neither"
        )
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise ConfigError(f"{file} is not there", hint="desk.tls_certificate and desk.tls_key name PEM files")
    _parse_proxies(settings.proxy)
    if not is_loopback(settings.host) and certificate is None and settings.proxy is None:
        raise ConfigError(
            f"desk.host {settings.host} would let others in without TLS",
            code="E_OPEN",
            hint="set desk.tls_certificate and desk.tls_key, or desk.proxy to the address of the proxy that ends TLS",
            item="desk.host",
        )
    host_names = () if settings.host in ("0.0.0.0", "::") else (settings.host,)  # noqa: S104 - compared, not bound
    loopback_names = ("localhost", "127.0.0.1", "::1") if is_loopback(settings.host) else ()
    # Who listens on every address and names no host answers to any name.
    hosts = (
        tuple(name.lower() for name in (*settings.hosts, *host_names, *loopback_names))
        if settings.hosts or host_names
        else ()
    )
    return BindAddress(
        host=settings.host, port=settings.port, certificate=certificate, key=key, proxy=settings.proxy, hosts=hosts
    )


@lru_cache
def _parse_proxies(proxy: str | None) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Parse addresses and networks with commas between them; *proxy* may not be everybody."""
    try:
        networks = tuple(ipaddress.ip_network(part.strip()) for part in proxy.split(",")) if proxy is not None else ()
    except ValueError:
        networks = None
    if networks is None or any(network.prefixlen < _WIDEST_PROXIES[network.version] for network in networks):
        raise ConfigError(
            f"desk.proxy is {proxy!r}, which is not the address of a proxy",
            code="E_PROXY",
            hint="name its address, as 10.0.0.1, or a small network, as 10.0.0.0/24; several with commas between them",
            item="desk.proxy",
        )
    return networks


def is_loopback(host: str) -> bool:
    """Check that only this machine reaches *host*. A name other than ``localhost`` may mean anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def open_desk(store: Store, settings: DeskSettings, workspace: Path, catalogue: Catalogue) -> Iterator[Service]:
    """Open a desk on *store*; on leaving, every job that was begun is written."""
    address = bind_address(settings, workspace)
    store.database.terms = terms_in(_path_in(settings.mask_terms, workspace))
    writer, hashes = Writer(store), HashQueue()
    try:
        service = Service(
            store=store,
            writer=writer,
            signer=Signer(read_keys(workspace / "desk.key")),
            clips=Clips(workspace / "audio", workspace / "cache" / "clips", bitrate=settings.bitrate),
            settings=settings,
            differ=differ(catalogue),
            catalogue=catalogue,
            workspace=workspace,
            screen=SCREEN,
            measure=Widths(store, catalogue).measure,
            shade=Shader(store, catalogue).calibrate,
            secure=address.secure,
            # Two hundred at once, twenty a second: a page that fetches its clips is quick, a copying script is not.
            pace=Throttle(rate=20, size=200),
            hashes=hashes,
        )
        store.leases.shorten(service.rules)
        yield service
    finally:
        hashes.close()
        writer.close()


def serve(service: Service, address: BindAddress, *, on_open: Callable[[str], None]) -> None:
    """
    Answer requests until a signal ends it.

    Args:
        on_open: Gets the address once the desk answers there; from then on SIGINT and SIGTERM end it in good order.

    Raises:
        UnfitError: If the address is taken.
    """
    import uvicorn

    from transcribe.desk.connections import ConnectionTable, fit_connections

    # The writer gives the interpreter up at each call of SQLite, a dozen times a text; a busy event loop is to give it
    # back soon each time.
    sys.setswitchinterval(_SWITCH_S)
    limits = service.settings
    table = ConnectionTable(
        limits,
        most=fit_connections(limits.most_connections),
        is_proxy=address.is_proxy,
        is_allowed=address.is_allowed,
    )
    listener = _listen(address, patience_s=limits.body_s)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        build(service, hosts=address.hosts),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=address.proxy is not None,
        forwarded_allow_ips=address.proxy or "",
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        http=table.protocol(),
        ws="none",
        timeout_keep_alive=limits.idle_s,
        timeout_graceful_shutdown=10,
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_open(address.url.rsplit(":", 1)[0] + f":{port}")

    Server(config).run(sockets=[listener])


def differ(catalogue: Catalogue) -> Differ:
    """Return a function that rates how far two texts of a dialect differ: errors over the mean number of words."""
    prepare = Preparer(catalogue)

    def rate(dialect: str | None, first: str, second: str) -> float | None:
        pair = dialects.scoring.word_errors.Pair(
            id="", reference=first, hypothesis=second, dialect=dialect or "und", speaker=""
        )
        try:
            prepared = prepare(pair)
        except DialectError:
            # Of a dialect that nobody named no rule is known: the texts are compared as they are.
            return _error_rate(first.split(), second.split())
        return _error_rate(prepared.reference, prepared.hypothesis)

    return rate


def _error_rate(first: list[str], second: list[str]) -> float | None:
    if not first and not second:
        return None
    _, substitutions, deletions, insertions = dialects.scoring.word_errors.count(first, second)
    return 2 * (substitutions + deletions + insertions) / (len(first) + len(second))


def _listen(address: BindAddress, *, patience_s: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Handed on to each connection, so that a small answer need not wait for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Handed on too: who takes nothing of an answer for so long is let go.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1_000 * patience_s))
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise UnfitError(
            f"{address.url} cannot be listened on: {error.strerror}",
            code="E_ADDRESS",
            hint="another program may be there; choose desk.port, 0 for any",
            item=address.url,
        ) from error
    listener.listen(1_024)
    return listener


def _path_in(name: str | None, workspace: Path) -> Path | None:
    return None if name is None else workspace / name
