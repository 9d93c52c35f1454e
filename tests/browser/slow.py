"""What a page loads, and how long that takes on a slow line, whatever else this machine has to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

#: The design link of a village, 2G.
BITS_PER_S = 120_000
ROUND_S = 0.5
#: What nothing waits for.
LAST = ("/icon.svg", "/manifest.webmanifest")


@dataclass
class Request:
    """One request of a page."""

    path: str
    began: float
    #: The browser's clock; ``None`` while it is under way.
    ended: float | None = None
    #: Bytes that came, packed, with their headers.
    size: int = 0
    #: Bytes of the body that went.
    sent: int = 0


class Line:
    """
    The line of *page*, watched by the browser itself.

    Args:
        slow: Whether it is slowed down to the design link.
    """

    def __init__(self, page: Page, *, slow: bool = False) -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._found: dict[str, Request] = {}
        self._cdp.on("Network.requestWillBeSent", self._begun)
        self._cdp.on("Network.loadingFinished", self._ended)
        self._cdp.send("Network.enable")
        self._cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        if slow:
            rate = BITS_PER_S / 8
            link = {"latency": ROUND_S * 1_000, "downloadThroughput": rate, "uploadThroughput": rate}
            self._cdp.send("Network.emulateNetworkConditions", {"offline": False, **link})

    @property
    def requests(self) -> list[Request]:
        """Those that came to their end, in the order in which they began."""
        return sorted((each for each in self._found.values() if each.ended is not None), key=lambda each: each.began)

    def work_s(self) -> float:
        """Seconds that the page's own thread has worked, by the processor's clock."""
        metrics = {each["name"]: each["value"] for each in self._cdp.send("Performance.getMetrics")["metrics"]}
        return float(metrics["ThreadTime"])

    def _begun(self, event: dict[str, Any]) -> None:
        address, scheme = event["request"]["url"].split("?")[0], event["request"]["url"].split(":")[0]
        if scheme == "http":
            size = sum(len(part.get("bytes", "")) * 3 // 4 for part in event["request"].get("postDataEntries", ()))
            path = "/" + address.split("/", 3)[3]
            self._found[event["requestId"]] = Request(path=path, began=event["timestamp"], sent=size)

    def _ended(self, event: dict[str, Any]) -> None:
        if (found := self._found.get(event["requestId"])) is not None:
            found.ended, found.size = event["timestamp"], int(event["encodedDataLength"])


def seconds(requests: Sequence[Request]) -> float:
    """
    How long *requests* take on the design link: their bytes one after the other, and a round for each of those that
    waited for another one to end.
    """
    waited = [each for each in requests if each.path not in LAST]
    return 8 * sum(each.size for each in requests) / BITS_PER_S + ROUND_S * rounds(waited)


def rounds(requests: Sequence[Request]) -> int:
    """
    Longest chain of requests of which each began when the one before had ended.

    >>> rounds([Request("/", 0, 1), Request("/a", 1.1, 3), Request("/b", 1.2, 2), Request("/c", 2.5, 3)])
    3
    """
    depth: list[int] = []
    for at, each in enumerate(requests):
        before = [
            depth[n] for n, other in enumerate(requests[:at]) if other.ended is not None and other.ended <= each.began
        ]
        depth.append(1 + max(before, default=0))
    return max(depth, default=0)
