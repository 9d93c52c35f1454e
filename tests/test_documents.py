"""Links in the documents lead somewhere, and names that they give a file are in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"]
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s#]+)[^)]*\)")


def find_links(document: Path) -> list[tuple[str, Path]]:
    text = document.read_text(encoding="utf-8")
    return [(label, document.parent / link) for label, link in LINK.findall(text) if "://" not in link]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    assert [str(path) for _, path in find_links(document) if not path.exists()] == []


def test_architecture_names_functions_that_are_there() -> None:
    linked = find_links(ROOT / "docs" / "architecture.md")
    names = [(label.strip("`"), path) for label, path in linked if path.suffix == ".py" and not label.endswith(".py`")]
    defined = r"^\s*(?:def|class) {0}\b|^{0}\b.*="
    missing = [
        (name, path.name)
        for name, path in names
        if not re.search(defined.format(re.escape(name)), path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert names
    assert missing == []
