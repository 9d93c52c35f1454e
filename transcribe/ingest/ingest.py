"""Turn arrivals into recordings: look dialects up, take sound in, draw splits, keep references."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from transcribe import audio
from transcribe.consent_words import REFUSING, find_withheld
from transcribe.errors import Failure, InputError
from transcribe.ingest.item import Arrival, Ingested, Progress, Tally
from transcribe.ingest.paths import fetch, readable
from transcribe.ingest.sidecars import fit, make_correction
from transcribe.ingest.splits import Shares
from transcribe.ingest.tags import Tagger
from transcribe.records import Correction, Recording
from transcribe.store import Store
from transcribe.store.facts import FactChange, Statement

STAGE: Final = "ingest"
#: Recordings that are saved together: few are looked at again after a crash, and a transaction stays short.
BATCH: Final = 64
#: Bytes of a second of the widest sound that is worth taking: eight channels of 32-bit 48 kHz.
_WIDEST: Final = 8 * 4 * 48_000
#: Bytes of the longest name that the store keeps a failure under.
_LONGEST_ITEM: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules for every file of a batch."""

    catalogue: Catalogue
    limits: audio.Limits = field(default_factory=audio.Limits)
    shares: Shares = field(default_factory=Shares)
    #: Refuse dialects that the catalogue does not list.
    strict_dialects: bool = False
    #: Number of the audio track, from 1, for files that have several.
    stream: int | None = None
    #: Take the readable part of a file that was cut off.
    allow_partial: bool = False
    #: Words of a consent that refuse, in lower case, besides ``refused`` and ``withdrawn``.
    refusing: frozenset[str] = REFUSING
    #: Take files whose consent is refused all the same, and withhold them.
    keep_refused: bool = False


def ingest(
    arrivals: Iterable[Arrival | Failure],
    *,
    store: Store,
    audio_folder: Path,
    rules: Rules,
    refused: Iterable[Arrival] = (),
    workers: int = 0,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> Ingested:
    """
    Take *arrivals* into *store* and their sound into *audio_folder*, where what killed runs left half-written goes.

    The same bytes are the same recording: taking them again changes nothing but consent and licence, where the manifest
    says another than before. What is refused is left out, unless the rules keep it withheld. A file that cannot be
    taken is recorded with its reason, and the rest goes on; the record goes when the file is taken later.

    Args:
        refused: Rows among *arrivals* whose consent refuses: what is there of them is withheld first, all at once.
        workers: Files decoded at a time; 0 means one for each core.
        dry_run: Look the files up and change nothing.

    Raises:
        UnfitError, UnreachableError, MissingError: What would meet every file; the files before it are kept.
    """
    intake = _Intake(store, rules, progress, dry_run=dry_run)
    if dry_run:
        for arrival in intake.tag(arrivals):
            intake.inspect(arrival)
    else:
        audio.sweep(audio_folder)
        try:
            intake.withhold(refused)
            _take_all(intake, arrivals, audio_folder, workers or os.cpu_count() or 1)
        finally:
            intake.save()
    return intake.tally.outcome(decoded=not dry_run)


def _take_all(intake: _Intake, arrivals: Iterable[Arrival | Failure], audio_folder: Path, workers: int) -> None:
    waiting: deque[tuple[Arrival, Path]] = deque()

    def yield_jobs(copies: Path) -> Iterator[audio.Job]:
        for arrival in intake.tag(arrivals):
            try:
                source = intake.fetch_source(arrival, copies)
            except InputError as error:
                intake.fail(arrival, error)
                continue
            waiting.append((arrival, source))
            yield intake.make_job(arrival, source)

    with audio.copies(audio_folder) as copies:
        for _, answer in audio.receive_many(
            yield_jobs(copies), audio_folder, limits=intake.rules.limits, workers=workers
        ):
            arrival, source = waiting.popleft()
            if isinstance(answer, InputError):
                intake.fail(arrival, answer)
            else:
                intake.take(arrival, answer, source)
            if source.parent == copies:
                source.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class _Pending:
    """A file whose sound was taken in and that waits to be saved."""

    arrival: Arrival
    recording: Recording
    reference: Correction | None


class _Intake:
    """Brings a batch into the store, a few recordings at a time."""

    def __init__(self, store: Store, rules: Rules, progress: Progress | None, *, dry_run: bool) -> None:
        self.rules = rules
        self.tally = Tally(progress)
        self._store = store
        self._dry_run = dry_run
        self._tagger = Tagger(rules.catalogue, strict=rules.strict_dialects, warn=self.tally.warn)
        self._failed_before = {failure.item for failure in store.attempts.fetch_failures(STAGE)}
        self._pending: list[_Pending] = []
        #: Refused rows of this batch whose file an earlier row may have given, by its content.
        self._refused: dict[str, Arrival] = {}

    def tag(self, arrivals: Iterable[Arrival | Failure]) -> Iterator[Arrival]:
        """Yield those of *arrivals* that can be used so far, with dialects and languages looked up."""
        for arrival in arrivals:
            if isinstance(arrival, Failure):
                self._record(arrival)
                continue
            try:
                tagged = self._tagger.tag(arrival)
            except DialectError as error:
                self.fail(arrival, error)
                continue
            if find_withheld(arrival.consent, self.rules.refusing) is None or not self._refuse(tagged):
                yield tagged

    def _refuse(self, arrival: Arrival) -> bool:
        """Withhold what is there already of *arrival*, and tell if its file is not to be taken."""
        self.save()
        sha256 = _hash_content(arrival)
        stored = self._find_stored(arrival, sha256)
        for recording in stored:
            self._take_facts(arrival, recording)
        if stored:
            self.tally.add(new=False)
            return True
        if sha256 is None:
            word = find_withheld(arrival.consent, self.rules.refusing)
            message = f"{arrival.path} is said to be {word}; there is no such file, and no recording of that path"
            hint = "spell the path as it was ingested; boli consent withdraw names the nearest"
            self.fail(arrival, InputError(message, code="E_RECORDING", hint=hint))
            return True
        if self.rules.keep_refused:
            return False
        self._refused[sha256] = arrival
        word = find_withheld(arrival.consent, self.rules.refusing)
        self.tally.warn(f"W_REFUSED: {arrival.where} is left out, its consent is {word}; ingest.keep_refused keeps it")
        self.tally.refuse()
        return True

    def _find_stored(self, arrival: Arrival, sha256: str | None) -> list[Recording]:
        """Find the recordings of *arrival*: by its path too, for the file may be gone, or another one by now."""
        recordings = self._store.recordings
        named = [recordings.find_by_path(arrival.path), None if sha256 is None else recordings.find(sha256)]
        return list({recording.id: recording for recording in named if recording is not None}.values())

    def withhold(self, refused: Iterable[Arrival]) -> None:
        """Withhold all recordings of *refused* rows of one manifest in one transaction."""
        paths: dict[str, str] = {}
        facts: dict[str, dict[str, str | None]] = {}
        source = None
        for arrival in refused:
            source = arrival.manifest
            for stored in self._find_stored(arrival, _hash_content(arrival)):
                paths[stored.id] = stored.path
                facts[stored.id] = {"consent": arrival.consent}
        if facts:
            statement = Statement(source=source, only_new=True, refusing=self.rules.refusing)
            self._tell_changes(self._store.facts.change(facts, statement), paths)

    def _tell_changes(self, changes: Sequence[FactChange], paths: Mapping[str, str]) -> None:
        for change in changes:
            path = paths[change.recording]
            self.tally.warn(f"W_CHANGED: {change.name} of {path} was {change.before}, and is {change.after}")
        for _ in {change.recording for change in changes}:
            self.tally.count_changed()

    def _take_facts(self, arrival: Arrival, stored: Recording) -> None:
        """Take consent and licence of a recording that is there, where its manifest says another than before."""
        names = [name for name in ("consent", "licence") if getattr(arrival, name) not in (None, getattr(stored, name))]
        if not names:
            return
        statement = Statement(
            source=arrival.manifest, only_new=True, refusing=self.rules.refusing, dry_run=self._dry_run
        )
        facts = {stored.id: {name: getattr(arrival, name) for name in names}}
        changes = self._store.facts.change(facts, statement)
        self._tell_changes(changes, {stored.id: stored.path})
        for name in sorted(set(names) - {change.name for change in changes}):
            self.tally.warn(
                f"W_KEPT: {arrival.where} says of {name} {getattr(arrival, name)}; {getattr(stored, name)} was said"
                f" since or by a person, and stays (boli consent {stored.path})"
            )

    def fetch_source(self, arrival: Arrival, folder: Path) -> Path:
        """Return the path where the bytes of *arrival* can be read on this machine."""
        if isinstance(arrival.location, Path):
            return arrival.location
        return fetch(arrival.location, folder, at_most=self.rules.limits.longest // 1_000 * _WIDEST)

    def make_job(self, arrival: Arrival, source: Path) -> audio.Job:
        return audio.Job(
            source=source,
            channel_mode=arrival.channel_mode,
            stream=self.rules.stream,
            allow_partial=self.rules.allow_partial,
        )

    def take(self, arrival: Arrival, received: audio.Received, source: Path) -> None:
        """Queue a file whose sound was taken in."""
        with suppress(OSError):
            self.tally.weigh(source.stat().st_size)
        try:
            recording = self._make_recording(arrival, received)
        except InputError as error:
            self.fail(arrival, error)
            return
        reference = _make_reference(arrival, recording)
        self._pending.append(_Pending(arrival=arrival, recording=recording, reference=reference))
        if len(self._pending) >= BATCH:
            self.save()

    def inspect(self, arrival: Arrival) -> None:
        """Count a file in a dry run; one in an object store counts as new."""
        if not isinstance(arrival.location, Path):
            self.tally.add(new=True)
            return
        try:
            if not arrival.location.is_file():
                raise InputError(f"{arrival.path} is no file", code="E_NOT_REGULAR", hint="hand in files")
            self.tally.weigh(arrival.location.stat().st_size)
            sha256 = audio.content_hash(arrival.location)
        except OSError as error:
            self.fail(arrival, InputError(f"{arrival.path} cannot be read: {error.strerror}", code="E_UNREADABLE"))
        except InputError as error:
            self.fail(arrival, error)
        else:
            stored = self._store.recordings.find(sha256)
            if stored is not None:
                self._take_facts(arrival, stored)
            self.tally.add(new=not self.tally.is_repeated(sha256) and stored is None)

    def fail(self, arrival: Arrival, error: InputError | DialectError) -> None:
        message = str(error) if arrival.manifest is None else f"{error} ({arrival.where})"
        self._record(Failure(item=arrival.path, code=error.code, message=readable(message)))

    def save(self) -> None:
        """Put the pending recordings into the store."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        try:
            self._save(pending)
        except InputError:
            # One of them holds what no database can keep. The store takes whole batches, so each goes alone.
            for entry in pending:
                try:
                    self._save([entry])
                except InputError as error:
                    self.fail(entry.arrival, error)

    def _save(self, pending: list[_Pending]) -> None:
        sources = {entry.recording.id: entry.arrival.manifest for entry in reversed(pending)}
        added = self._store.recordings.add((entry.recording for entry in pending), sources=sources)
        self._store.corrections.add(entry.reference for entry in pending if entry.reference is not None)
        new = set(added.new)
        stored_by_id = {
            recording.id: recording
            for recording in self._store.recordings.fetch(ids=set(added.existing), withheld=True)
        }
        for entry in pending:
            recording = entry.recording
            repeated = self.tally.is_repeated(recording.id)
            is_new = recording.id in new and not repeated
            if is_new:
                for warning in recording.warnings:
                    self.tally.warn(f"{warning} ({recording.path})")
            else:
                stored = self._store.recordings.find(recording.id) if repeated else stored_by_id.get(recording.id)
                self._take_facts(entry.arrival, stored or recording)
                self._warn_of_differences(entry, stored_by_id.get(recording.id, recording), repeated=repeated)
            if (refusal := self._refused.pop(recording.id, None)) is not None:
                self._take_facts(refusal, recording)
            if recording.path in self._failed_before:
                self._store.attempts.clear_failure(_failure_key(recording.path), STAGE)
            self.tally.add(new=is_new, sound=recording.duration)

    def _warn_of_differences(self, entry: _Pending, stored: Recording, *, repeated: bool) -> None:
        """Warn of sound that came under another name, and of facts that the store does not take any more."""
        arrival = entry.arrival
        if repeated or stored.path != arrival.path:
            self.tally.warn(f"W_DUPLICATE: {arrival.path} is the same sound as {stored.path}; it is kept once")
        names = ("dialect", "speaker", "session", "num_speakers", "split")
        changed = [name for name in names if getattr(arrival, name) not in (None, getattr(stored, name))]
        if arrival.declared and entry.recording.declared != stored.declared:
            changed.append("turns")
        if changed:
            facts = ", ".join(changed)
            self.tally.warn(
                f"W_KEPT: {arrival.path} is there already; {facts} stay as they are; boli relabel mends them"
            )

    def _make_recording(self, arrival: Arrival, received: audio.Received) -> Recording:
        return Recording(
            id=received.sha256,
            path=arrival.path,
            duration=received.duration,
            rate_hz=received.rate_hz,
            channels=received.channels,
            channel_mode=arrival.channel_mode,
            dialect=arrival.dialect,
            language=arrival.language,
            speaker=arrival.speaker,
            session=arrival.session,
            consent=arrival.consent,
            licence=arrival.licence,
            source=arrival.source,
            num_speakers=arrival.num_speakers,
            withheld=find_withheld(arrival.consent, self.rules.refusing),
            split=arrival.split or self.rules.shares.draw(arrival.group or received.sha256),
            facts=arrival.facts,
            declared=fit((arrival.declared, arrival.declared_at), received.duration),
            warnings=received.warnings,
            quality=received.quality,
        )

    def _record(self, failure: Failure) -> None:
        self.tally.fail(failure)
        if not self._dry_run:
            self._store.attempts.save_failure(_failure_key(failure.item), STAGE, failure)


def _make_reference(arrival: Arrival, recording: Recording) -> Correction | None:
    if arrival.text is None:
        return None
    return make_correction(
        recording=recording.id,
        start=0,
        end=recording.duration,
        text=arrival.text,
        dialect=recording.dialect,
        author=arrival.manifest,
    )


def _hash_content(arrival: Arrival) -> str | None:
    """Return the hash of the file's bytes; ``None`` where it cannot be read here."""
    try:
        is_file = isinstance(arrival.location, Path) and arrival.location.is_file()
        return audio.content_hash(arrival.location) if is_file and isinstance(arrival.location, Path) else None
    except (OSError, InputError):
        return None


def _failure_key(item: str) -> str:
    """Return the key that the store keeps a failure under, at most 2,000 bytes."""
    return item.encode()[:_LONGEST_ITEM].decode(errors="ignore")
