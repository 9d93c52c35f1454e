"""
The store of a workspace, in SQLite or PostgreSQL; the only package that builds queries.

    Store           store.py        all parts below, opened
    ├── Recordings  recordings.py   recordings, paths, splits
    ├── Work        work.py         pending recordings, attempts, failures
    ├── Drafts      drafts.py       turns, segments, drafts of a run
    ├── Corrections corrections.py  corrections, and the drafted words against them (rule: scoring.py)
    ├── Models      models.py       models, promotions, lineages
    ├── Overview    status.py       counts
    ├── Export      export.py       canonical lines
    ├── People      people.py       people of the desk, sessions, tokens
    ├── Desk        desk.py         segments on the desk, and the state of each
    ├── Leasing     leasing.py      leases on segments
    ├── Submitting  submitting.py   submitted texts, each once
    ├── Reviewing   reviewing.py    reviews and decisions
    ├── Pieces      pieces.py       work items, one a person and segment
    ├── Voices      voices.py       mean embeddings of speakers, and links between speakers
    ├── Growing     growing.py      drafts accepted without a person
    └── Audit       auditing.py     audit log, and the check of histories

Each is a Database (database.py: connections, transactions, pages) that opening.py found fit, made or migrated.
"""

from transcribe.store.recordings import Added
from transcribe.store.status import DialectStatus, StageStatus, Status
from transcribe.store.store import Store

__all__ = ["Added", "DialectStatus", "StageStatus", "Status", "Store"]
