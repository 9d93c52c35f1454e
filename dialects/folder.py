"""A report as a folder: for scripts, spreadsheets, people and other scorers. The same pairs give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dialects.preparing import Preparer
from dialects.report import Report
from dialects.scoring import Pair
from dialects.utterances import write_alignments, write_seglst, write_trn, write_utterances

#: The files of a report, in this order.
FILES = (
    *("report.json", "dialects.csv", "utterances.parquet", "aligned.jsonl", "report.html"),
    *("ref.trn", "hyp.trn", "ref.seglst.json", "hyp.seglst.json"),
)


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
