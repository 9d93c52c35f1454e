"""Metrics for Prometheus: counts and times, never a name or a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from transcribe.desk_records import DialectProgress

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


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
