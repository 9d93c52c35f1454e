"""
The picture in the README: what `boli wer` prints for the demo's workspace, as an SVG.

    boli demo && python docs/picture.py boli-demo docs/demo.svg
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from transcribe.commands.scoring import score_corrections
from transcribe.scoring.rules import ScoreRequest


def main(workspace: Path, out: Path) -> None:
    text = str(score_corrections(workspace, ScoreRequest(split="test")).text)
    width = max(map(len, text.splitlines()))
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=width + 2, file=nowhere)
        console.print(Text("$ boli wer --split test", style="bold green"))
        console.print(Text(text))
        picture = console.export_svg(title="boli demo")
    # A picture fetches nothing: the reader's own monospaced letters do.
    out.write_text(re.sub(r"@font-face {.*?}\s*", "", picture, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
