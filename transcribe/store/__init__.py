"""
What a workspace knows, kept in SQLite or PostgreSQL. The only package that builds queries.

    Store           store.py        everything below, opened
    ├── Recordings  recordings.py   what came in
    ├── Work        work.py         what is pending, begun, failed
    ├── Drafts      drafts.py       turns, segments, drafts of a run
    ├── Corrections corrections.py  what people wrote, and the words against it (rule: scoring.py)
    ├── Models      models.py       who drafts
    ├── Overview    status.py       counts
    ├── Export      export.py       canonical lines
    ├── People      people.py       who works at the desk, sessions, tokens
    ├── Desk        desk.py         which segments lie there, and how each stands
    ├── Leasing     leasing.py      who holds which
    ├── Submitting  submitting.py   texts in, each once
    ├── Reviewing   reviewing.py    what was decided about them
    ├── Pieces      pieces.py       what each person did, a piece a segment
    ├── Voices      voices.py       mean embeddings of speakers, and which speakers are one person
    ├── Growing     growing.py      drafts that count without a person
    └── Audit       auditing.py     who heard what, and whether the history is whole

Each is a Database (database.py: connections, transactions, pages) that opening.py found fit, made or migrated.
"""

from transcribe.store.recordings import Added
from transcribe.store.status import DialectStatus, StageStatus, Status
from transcribe.store.store import Store

__all__ = ["Added", "DialectStatus", "StageStatus", "Status", "Store"]
