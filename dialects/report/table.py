"""Per-dialect tables: for a terminal, as JSON and CSV. The same pairs give the same bytes."""

from __future__ import annotations

import importlib.metadata
import platform
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialects.columns import columns, percent
from dialects.dialect import Catalogue, load_catalogue
from dialects.report.gaps import Gaps, gaps
from dialects.scoring.comparison import Side, hash_names
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import (
    Method,
    Row,
    SumRow,
    dialect_row,
    overall_row,
    round_number,
    row_data,
    sum_rows,
    visible_row,
)
from dialects.scoring.sums import CountCache, Tallies, tally
from dialects.scoring.word_errors import ALIGNMENT, Pair, Recount, check
from dialects.tables import escape_formula
from dialects.text.normalise import Normaliser, hash_of
from dialects.text.variants import VariantSet

if TYPE_CHECKING:
    import pandas as pd

#: Packages whose version may change a count.
_PACKAGES = ("boli", "rapidfuzz", "regex", "numpy", "scipy")
#: Version of the shape of :meth:`Report.data`.
SCHEMA = "boli.report/1"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The errors of one model on each dialect."""

    #: One row a dialect, in alphabetical order of tags.
    rows: tuple[Row, ...]
    overall: Row
    #: The total as people are shown it: without the suppressed dialects where it would tell what they hide.
    visible: Row
    #: Wider dialects over rows below them, for reading; the total has each row once.
    sums: tuple[SumRow, ...]
    model: str | None
    method: Method
    #: By script, those in use.
    normalisers: Mapping[str, tuple[Normaliser, ...]]
    recount: Recount | None
    #: Hash of the dialect catalogue.
    catalogue: str
    #: Hash of ids, references, dialects and speakers: reports with the same one are over the same speech.
    references: str
    #: Spelling variants in force, by dialect.
    variants: Mapping[str, VariantSet]
    #: Between the reportable dialects, if there are two.
    gaps: Gaps | None
    warnings: tuple[str, ...] = ()

    @property
    def macro_wer(self) -> float | None:
        """The mean over the dialects that WER suits and that are not suppressed, each weighing the same."""
        rows = (row for row in self.rows if row.state != "suppressed" and row.primary == "wer")
        rates = [row.wer for row in rows if row.wer is not None]
        return sum(rates) / len(rates) if rates else None

    def data(self, *, privacy_floor: bool = False) -> dict[str, Any]:
        """
        Return the ``data`` object of ``boli wer --json``: plain lists, dicts, numbers; unknown is ``None``.

        Args:
            privacy_floor: Take the rates and errors of suppressed dialects out, as printed tables do, and out of the
                total where it would tell them.
        """
        overall = self.visible if privacy_floor else self.overall
        inner = [normaliser for group in self.normalisers.values() for normaliser in group]
        names = sorted({normaliser.id for normaliser in inner})
        thresholds = self.method.thresholds
        return {
            "report": SCHEMA,
            "model": self.model,
            "dialects": [row_data(row, privacy_floor) for row in self.rows],
            "overall": row_data(overall, privacy_floor),
            "sums": [row_data(sum.row, privacy_floor) | {"sum_of": list(sum.parts)} for sum in self.sums],
            "macro_wer": round_number(self.macro_wer),
            "gaps": self.gaps.data() if self.gaps else None,
            "normaliser": {
                "id": ",".join(names) if names else None,
                "hash": hash_of(inner) if inner else None,
                "by_script": {
                    script: [{"id": normaliser.id, "hash": normaliser.hash} for normaliser in group]
                    for script, group in sorted(self.normalisers.items())
                },
            },
            "alignment": ALIGNMENT,
            "checked_with": self._recount_data(overall),
            "interval": {
                "method": "jackknife-t over blocks of speakers",
                "confidence": self.method.confidence,
                "bootstrap": {"resamples": self.method.resamples, "generator": "PCG64", "seed": self.method.seed},
            },
            "thresholds": {
                "provisional": {"blocks": thresholds.provisional_speakers, "words": thresholds.provisional_words},
                "reportable": {"blocks": thresholds.reportable_speakers, "words": thresholds.reportable_words},
            },
            "variants": {tag: {"rules": len(rules.rules), "hash": rules.hash} for tag, rules in self.variants.items()},
            "forgiven": self._list_variants_used(privacy_floor),
            "blocks": self._blocks(privacy_floor),
            "catalogue_hash": self.catalogue,
            "references_hash": self.references,
            "made_with": _versions(),
        }

    def side(self) -> Side:
        """Return the side of this model for a comparison with another one."""
        inner = [normaliser for group in self.normalisers.values() for normaliser in group]
        return Side(
            model=self.model,
            names={row.dialect: row.name for row in self.rows},
            dialects={row.dialect: hash_names(row.by_block) for row in self.rows},
            overall=hash_names(self.overall.by_block),
            normaliser_hash=hash_of(inner) if inner else None,
            references_hash=self.references,
        )

    def _blocks(self, privacy_floor: bool) -> dict[str, Any]:
        """Return errors and words of each block: all that a paired test takes."""
        overall = self.visible if privacy_floor else self.overall
        rows = [row for row in self.rows if not (privacy_floor and row.state == "suppressed")]
        return {
            "dialects": {
                row.dialect: {name: list(sums) for name, sums in hash_names(row.by_block).items()} for row in rows
            },
            "overall": {name: list(sums) for name, sums in hash_names(overall.by_block).items()},
        }

    def _list_variants_used(self, privacy_floor: bool) -> dict[str, list[dict[str, Any]]]:
        """List the allowed spellings that were used most, so that people can decide whether to allow them."""
        rows = (row for row in self.rows if row.tally.forgiven and not (privacy_floor and row.state == "suppressed"))
        return {
            row.dialect: [
                {"reference": reference, "hypothesis": hypothesis, "count": count}
                for (reference, hypothesis), count in sorted(
                    row.tally.forgiven.items(), key=lambda variant_count: (-variant_count[1], variant_count[0])
                )[:20]
            ]
            for row in rows
        }

    def _recount_data(self, overall: Row) -> dict[str, Any] | None:
        if self.recount is None:
            return None
        counted = {
            "errors": self.recount.errors,
            "words": self.recount.words,
            "mer": round_number(self.recount.match_error_rate),
        }
        counted = counted if overall is self.overall else dict.fromkeys(counted)
        return {"name": "jiwer", "version": self.recount.version} | counted

    def table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """
        Return header and rows for a terminal, sums marked as such, the last row over all dialects that are shown.

        A suppressed row shows counts only, and the last one nothing from which they follow.
        """
        header = tuple(title.format(self.method.confidence * 100) for title in _HEADER)
        sums = (_mark_sum(_cells(sum.row), sum.parts) for sum in self.sums)
        return header, (*map(_cells, self.rows), *sums, _cells(self.visible))

    def notes(self) -> tuple[str, ...]:
        """Return the notes under the table: how it was made, and what each flag means for which dialects."""
        inner = self.data()["normaliser"]
        lines = [f"normaliser {inner['id']} {str(inner['hash'])[:12]}, counts by {ALIGNMENT}"]
        if self.overall.tally.folded:
            folded = f"{self.overall.tally.folded:,} words of references and hypotheses are numbers"
            lines.append(f"{folded} and were folded to digits; latn-v1 and indic-v2 count them as written")
        percent = f"{self.method.confidence * 100:g} %"
        lines.append(f"{percent} intervals by jackknife over blocks of speakers; segments are never the unit")
        if self.recount is not None and (self.visible.state == "suppressed" or self.visible is not self.overall):
            lines.append(f"jiwer {self.recount.version} counts the same")
        elif self.recount is not None:
            total = f"{self.recount.errors} errors in {self.recount.words} words"
            lines.append(f"jiwer {self.recount.version} counts the same: {total}")
        if self.gaps is not None:
            lines.append(self.gaps.sentence())
        for flag, sentence in _SENTENCES.items():
            tags = [row.dialect for row in self.rows if flag in row.flags and row.state != "suppressed"]
            if tags:
                lines.append(f"{', '.join(tags)}: {sentence}")
        suppressed = [row.dialect for row in self.rows if row.state == "suppressed"]
        if suppressed:
            floor = self.method.thresholds
            needs = f"{floor.provisional_speakers} speakers and {floor.provisional_words} words"
            lines.append(f"{', '.join(suppressed)}: too little to show a rate, {needs} are needed")
        lines += [f"{sum.row.dialect} * sums {', '.join(sum.parts)}, which the total has once" for sum in self.sums]
        return tuple(lines)

    def text(self) -> str:
        """Format table and notes as plain text, columns aligned."""
        header, rows = self.table()
        return "\n".join([columns(header, rows, texts=_LEFT), "", *self.notes()])

    def frame(self, *, privacy_floor: bool = False) -> pd.DataFrame:
        """Make one row a dialect, the columns of the JSON in their order; lists become comma-separated text."""
        import pandas as pd

        rows = [row_data(row, privacy_floor) for row in self.rows]
        flat = [
            {"model": self.model}
            | {key: ",".join(cell) if isinstance(cell, list) else cell for key, cell in row.items()}
            for row in rows
        ]
        columns = ["model", *row_data(self.overall, False)]
        return pd.DataFrame(flat, columns=columns)

    def write_csv(self, path: Path, *, privacy_floor: bool = False) -> None:
        """Write :meth:`frame` to *path*, so that no spreadsheet computes a cell; an unknown value is an empty one."""
        frame = self.frame(privacy_floor=privacy_floor)
        safe = frame.map(lambda cell: escape_formula(cell) if isinstance(cell, str) else cell)
        safe.to_csv(path, index=False, lineterminator="\n")


def build(
    pairs: Iterable[Pair],
    *,
    catalogue: Catalogue | None = None,
    normaliser: str | None = None,
    normaliser_folders: Sequence[Path] = (),
    variant_paths: Sequence[Path] = (),
    strict_dialects: bool = False,
    model: str | None = None,
    method: Method | None = None,
    with_recount: bool = True,
) -> Report:
    """
    Report on one model's *pairs*, which may be a stream: memory grows with speakers, not with pairs.

    Args:
        catalogue: Known dialects; defaults to those that ship with the package.
        normaliser: Id of one normaliser for all pairs. Without it each dialect brings its own.
        normaliser_folders: Where else to look for normalisers, the last one first.
        variant_paths: Where else to look for variant files: folders, or files. Their rules are checked against all
            references first, so a stream of pairs is then read into memory.
        strict_dialects: Refuse tags without an entry of their own.
        model: Its id, as printed.
        method: Thresholds, confidence, resamples, seed.
        with_recount: Have jiwer count the same words; takes about as long again.

    Raises:
        DialectError: E_DIALECT or E_NORMALISER_NEEDED for a pair that cannot be taken, E_NORMALISER for the id.
        RecountError: If the two engines differ, which is a bug.
    """
    prepare = Preparer(
        catalogue or load_catalogue(),
        normaliser=normaliser,
        normaliser_folders=normaliser_folders,
        variant_paths=variant_paths,
        strict=strict_dialects,
    )
    return report_of(pairs, prepare, model=model, method=method, with_recount=with_recount)


def report_of(
    pairs: Iterable[Pair],
    prepare: Preparer,
    *,
    model: str | None = None,
    method: Method | None = None,
    with_recount: bool = True,
    cache: CountCache | None = None,
) -> Report:
    """
    Like :func:`build`, with rules that other tables of these pairs share.

    Args:
        cache: Counts of earlier reports: a cached pair is not aligned again, and the report is the same.
    """
    method = method or Method()
    warnings: tuple[str, ...] = ()
    if prepare.has_own_variants:
        pairs = pairs if isinstance(pairs, Sequence) else list(pairs)
        warnings = prepare.reject_collisions(pairs)
    sums = tally(pairs, prepare, with_recount=with_recount, cache=cache)
    overall = overall_row(sums, method)
    if sums.recount is not None:
        check(overall.counts, sums.recount)
    rows = tuple(dialect_row(sums, tag, method) for tag in sums.by_dialect)
    return Report(
        rows=rows,
        overall=overall,
        visible=visible_row(overall, rows, sums, method),
        model=model,
        method=method,
        normalisers=_normalisers_by_script(sums),
        recount=sums.recount,
        sums=sum_rows(rows, sums, prepare.catalogue, method),
        catalogue=prepare.catalogue.hash,
        references=sums.references,
        variants=prepare.variants,
        gaps=gaps(rows, method),
        warnings=(*sums.warnings, *warnings),
    )


def _normalisers_by_script(sums: Tallies) -> dict[str, tuple[Normaliser, ...]]:
    by_script: dict[str, dict[str, Normaliser]] = {}
    for tag, group in sums.normalisers.items():
        for normaliser in group:
            by_script.setdefault(sums.dialects[tag].script, {})[normaliser.id] = normaliser
    return {script: tuple(group[name] for name in sorted(group)) for script, group in sorted(by_script.items())}


_HEADER = (
    "dialect",
    "name",
    "segments",
    "speakers",
    "words",
    "WER %",
    "{:g} % interval",
    "CER %",
    "S",
    "D",
    "I",
    "state",
)
#: Columns of text, by position.
_LEFT = (0, 1, 11)


def _cells(row: Row) -> tuple[str, ...]:
    counts = row.counts
    start = (row.dialect, row.name, f"{row.segments:,}", f"{row.speakers:,}", f"{counts.words:,}")
    if row.state == "suppressed":
        return (*start, "–", "–", "–", "–", "–", "–", row.state)
    low, high = row.interval or (None, None)
    words = percent(row.wer) if row.primary == "wer" else "–"
    interval = f"{percent(low)} – {percent(high)}" if row.interval and row.primary == "wer" else "–"
    edits = (f"{counts.substitutions:,}", f"{counts.deletions:,}", f"{counts.insertions:,}")
    return (*start, words, interval, percent(row.cer), *edits, row.state)


def _mark_sum(cells: tuple[str, ...], parts: Sequence[str]) -> tuple[str, ...]:
    tag, *others, state = cells
    return (f"{tag} *", *others, f"sum of {len(parts)} rows, {state}")


_SENTENCES = {
    "one_speaker_dominates": "one speaker has more than 30 % of the words",
    "wide_interval": "the interval is wider than 10 points; more speakers narrow it, more segments hardly do",
    "speakers_differ_from_pool": "the mean over speakers is more than 2 points from the pooled rate",
    "words_changed_by_normaliser": "the normaliser changed the number of reference words by more than 2 %",
    "missing_hypotheses": "some segments have no hypothesis; their words count as deletions",
    "empty_references": "some references are empty; words put there count as insertions",
    "words_without_spaces": "no spaces between words, so CER leads and WER is left out",
}


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {"python": platform.python_version(), "unicode": unicodedata.unidata_version}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions
