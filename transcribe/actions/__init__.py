"""
The commands, one function each: the opened workspace in, an Answer out. The command line only parses and prints.

    recordings   init, ingest, import corrections, run, status
    scoring      wer
    comparing    compare
    exporting    export
    looking      config, doctor
    demo         the whole circle on the corpus that ships with the package
"""

from transcribe.actions.comparing import ComparisonRequest, compare
from transcribe.actions.demo import demo, demo_desk
from transcribe.actions.exporting import Export, export, export_canonical
from transcribe.actions.looking import config_check, config_schema, config_show, doctor
from transcribe.actions.recordings import Source, import_corrections, ingest, init, run, status
from transcribe.actions.scoring import Scoring, wer, wer_of_pairs

__all__ = [
    "ComparisonRequest",
    "Export",
    "Scoring",
    "Source",
    "compare",
    "config_check",
    "config_schema",
    "config_show",
    "demo",
    "demo_desk",
    "doctor",
    "export",
    "export_canonical",
    "import_corrections",
    "ingest",
    "init",
    "run",
    "status",
    "wer",
    "wer_of_pairs",
]
