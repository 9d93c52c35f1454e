"""
What a workspace knows, kept in SQLite or PostgreSQL. The only package that builds queries.

    Store           store.py        everything below, opened
    ├── Recordings  recordings.py   what came in
    ├── Work        work.py         what is pending, begun, failed
    ├── Drafts      drafts.py       turns, segments, drafts of a run
    ├── Corrections corrections.py  what people wrote, and the words against it (rule: scoring.py)
    ├── Models      models.py       who drafts
    ├── Overview    status.py       counts
    └── Export      export.py       canonical lines

Each is a Database (database.py: connections, transactions, pages) that opening.py found fit, made or migrated.
"""

from transcribe.store.recordings import Added
from transcribe.store.status import DialectStatus, StageStatus, Status
from transcribe.store.store import Store

__all__ = ["Added", "DialectStatus", "StageStatus", "Status", "Store"]
