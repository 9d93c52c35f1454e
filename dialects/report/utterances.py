"""
The files with one line a segment: the table of counts, the alignments to read, and files for other scorers.

`write_folder` writes all of a report; the same pairs give the same bytes. The table without its
texts may be shared where texts may not: all rates, intervals and tests can be made from counts.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialects.report.table import Report
from dialects.scoring.prepare import Prepared, Preparer
from dialects.scoring.sums import count_pair
from dialects.scoring.word_errors import Pair

#: Columns of the table, in order. Texts come last, so that a file without them has the same beginning.
_COUNTED = (
    *("hits", "substitutions", "deletions", "insertions", "variant_errors"),
    *("characters", "character_errors", "graphemes", "grapheme_errors"),
)
COUNT_COLUMNS = (
    *("id", "model", "dialect", "speaker", "session", "normaliser", "duration_s", "snr_db", "missing"),
    *("words", "hypothesis_words", *_COUNTED),
)
TEXT_COLUMNS = ("reference", "hypothesis", "reference_normalised", "hypothesis_normalised")

#: Marks of the trn format to characters that are none.
_WIDE = str.maketrans("{}()<>/*@", "｛｝（）＜＞／＊＠")
#: The files of a report, in this order.
FILES = (
    *("report.json", "dialects.csv", "utterances.parquet", "aligned.jsonl", "report.html"),
    *("ref.trn", "hyp.trn", "ref.seglst.json", "hyp.seglst.json"),
)


def utterances(
    pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared], *, texts: bool = True
) -> Iterator[dict[str, Any]]:
    """Yield one dict a pair with the columns above, in the order of *pairs*; without *texts* the counts alone."""
    for pair in pairs:
        ready = prepare(pair)
        counts = count_pair(ready)
        line: dict[str, Any] = {
            "id": pair.id,
            "model": pair.model,
            "dialect": ready.dialect.tag,
            "speaker": pair.speaker,
            "session": pair.session,
            "normaliser": ready.normaliser.id,
            "duration_s": pair.duration_s,
            "snr_db": pair.snr_db,
            "missing": pair.missing,
            "words": len(ready.reference),
            "hypothesis_words": len(ready.hypothesis),
            **{name: getattr(counts, name) for name in _COUNTED},
        }
        if texts:
            line |= {
                "reference": pair.reference,
                "hypothesis": pair.hypothesis,
                "reference_normalised": " ".join(ready.reference),
                "hypothesis_normalised": " ".join(ready.hypothesis),
            }
        yield line


def write_utterances(
    path: Path, pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared], *, texts: bool = True
) -> int:
    """Write the table as Parquet, 10,000 segments at a time; gives their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(texts)
    lines = utterances(pairs, prepare, texts=texts)
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(itertools.islice(lines, 10_000)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _schema(texts: bool) -> Any:
    import pyarrow as pa

    kinds = {"duration_s": pa.float64(), "snr_db": pa.float64(), "missing": pa.bool_()}
    words = {"id", "model", "dialect", "speaker", "session", "normaliser", *TEXT_COLUMNS}
    columns = (*COUNT_COLUMNS, *(TEXT_COLUMNS if texts else ()))
    return pa.schema([(name, pa.string() if name in words else kinds.get(name, pa.int32())) for name in columns])


def write_alignments(path: Path, pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared]) -> None:
    """Write one JSON line a segment with its path: ``[["hit", "a", "a"], ["deletion", "b", null], …]``."""
    with path.open("w", encoding="utf-8") as file:
        for pair in pairs:
            ready = prepare(pair)
            line = {
                "id": pair.id,
                "model": pair.model,
                "dialect": ready.dialect.tag,
                "alignment": [[step.kind, step.reference, step.hypothesis] for step in ready.path],
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_trn(
    reference: Path, hypothesis: Path, pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared]
) -> dict[str, str]:
    """
    Write two files in the trn format of sclite: normalised words and, in brackets, ``(dialect_number)``.

    sclite takes what stands before the underscore for a speaker (``-i spu_id``), so its table of speakers becomes one
    of dialects. Characters that are marks there (braces, brackets, slash, asterisk, at) become their wide forms on both
    sides, which changes no count.

    Returns:
        The id of each utterance in the files, by that of the pair.
    """
    names: dict[str, str] = {}
    with (
        reference.open("w", encoding="utf-8") as reference_file,
        hypothesis.open("w", encoding="utf-8") as hypothesis_file,
    ):
        for number, pair in enumerate(pairs, start=1):
            ready = prepare(pair)
            tag = re.sub(r"[^A-Za-z0-9-]", "-", ready.dialect.tag)
            names[pair.id] = f"{tag}_{number:06d}"
            reference_file.write(f"{' '.join(ready.reference).translate(_WIDE)} ({names[pair.id]})\n")
            hypothesis_file.write(f"{' '.join(ready.hypothesis).translate(_WIDE)} ({names[pair.id]})\n")
    return names


def write_seglst(reference: Path, hypothesis: Path, pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared]) -> None:
    """
    Write two files in the SegLST format of meeteval: normalised words, each pair a session of its own.

    The dialect stands beside the speaker, so that meeteval's errors can be summed by either. Where a length is stated,
    the segment starts at 0 and ends there.
    """
    with _json_list(reference) as add_reference, _json_list(hypothesis) as add_hypothesis:
        for pair in pairs:
            ready = prepare(pair)
            facts: dict[str, Any] = {"session_id": pair.id, "speaker": pair.speaker, "dialect": ready.dialect.tag}
            if pair.duration_s is not None:
                facts |= {"start_time": 0.0, "end_time": pair.duration_s}
            add_reference(facts | {"words": " ".join(ready.reference)})
            add_hypothesis(facts | {"words": " ".join(ready.hypothesis)})


@contextmanager
def _json_list(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open a file that holds one JSON list, an entry a line, written as entries come."""
    with path.open("w", encoding="utf-8") as file:
        separator = "[\n"

        def add(entry: Mapping[str, Any]) -> None:
            nonlocal separator
            file.write(separator + json.dumps(entry, ensure_ascii=False))
            separator = ",\n"

        yield add
        file.write("[]\n" if separator == "[\n" else "\n]\n")


def write_folder(
    folder: Path,
    report: Report,
    pairs: Sequence[Pair],
    prepare: Preparer,
    *,
    data: Mapping[str, Any],
    html: str,
    privacy_floor: bool = False,
) -> tuple[Path, ...]:
    """
    Write :data:`FILES` into *folder*, which is made where it is not there; files of these names are replaced.

    Args:
        pairs: Those that *report* was made of.
        data: The content of ``report.json``.
        html: The content of ``report.html``.
        privacy_floor: Leave the pairs of suppressed dialects out of every file.
    """
    hidden = {row.dialect for row in report.rows if row.state == "suppressed"} if privacy_floor else set()
    visible = [pair for pair in pairs if prepare.rules(pair).dialect.tag not in hidden] if hidden else pairs
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in FILES}
    write_data(paths["report.json"], data)
    report.write_csv(paths["dialects.csv"], privacy_floor=privacy_floor)
    write_utterances(paths["utterances.parquet"], visible, prepare)
    write_alignments(paths["aligned.jsonl"], visible, prepare)
    paths["report.html"].write_text(html, encoding="utf-8")
    write_trn(paths["ref.trn"], paths["hyp.trn"], visible, prepare)
    write_seglst(paths["ref.seglst.json"], paths["hyp.seglst.json"], visible, prepare)
    return tuple(paths.values())


def write_data(path: Path, data: Mapping[str, Any]) -> None:
    """Write *data* as JSON, keys in their order; unknown is null and never NaN."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
