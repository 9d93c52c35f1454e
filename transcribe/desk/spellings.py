"""Spellings that a reviewer found right too, added to the variants of scoring: a file a dialect in the workspace."""

from __future__ import annotations

import csv
import io
import secrets
import threading
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair
from dialects.text.normalise import Normaliser
from dialects.text.variants import COLUMNS
from transcribe.store.overseeing import Spelling

#: Below the workspace: `boli wer --variants variants` reads it.
FOLDER = "variants"
_TURN = threading.Lock()


def add(folder: Path, spellings: Iterable[Spelling], catalogue: Catalogue) -> int:
    """
    Add *spellings* to the files of their dialects in *folder*, and count the new lines.

    A file begins with the package's own lines for the dialect, which it replaces in scoring. What says nothing after
    normalising is left out, and so is what no dialect is known of. A line that somebody removed comes back only when
    it is found right again.
    """
    prepare = Preparer(catalogue)
    count = 0
    with _TURN:
        for spelling in spellings:
            try:
                rules = prepare.rules(Pair(id="", reference="", hypothesis="", dialect=spelling.dialect, speaker=""))
            except DialectError:
                continue
            row = _row_of(spelling, rules.normaliser)
            if row is not None:
                count += _append(folder, rules.dialect.tag, row)
    return count


def _row_of(spelling: Spelling, normalise: Normaliser) -> tuple[str, ...] | None:
    written, other = (" ".join(text.split()) for text in (spelling.written, spelling.other))
    if not normalise(written) or not normalise(other) or normalise(written) == normalise(other):
        return None
    return (written, other, "dialect", "reviewer", " ".join(spelling.name.split()), spelling.at[:10])


def _append(folder: Path, tag: str, row: tuple[str, ...]) -> bool:
    file = folder / f"{tag}.tsv"
    packaged = resources.files("dialects") / "catalogue" / "variants" / f"{tag}.tsv"
    if file.is_file():
        text = file.read_text(encoding="utf-8")
    else:
        text = packaged.read_text(encoding="utf-8") if packaged.is_file() else "\t".join(COLUMNS) + "\n"
    rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    if any(tuple(fields[:2]) == row[:2] for fields in rows):
        return False
    folder.mkdir(exist_ok=True)
    new_file = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    new_file.write_text(text + ("" if text.endswith("\n") else "\n") + "\t".join(row) + "\n", encoding="utf-8")
    new_file.replace(file)
    return True
