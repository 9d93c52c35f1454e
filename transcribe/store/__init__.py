"""
The store of a workspace, in SQLite or PostgreSQL; the only package that builds queries.

    Store                store.py           all parts below, each made when it is first used
    ├── recordings       recordings, paths, splits
    ├── attempts         pending recordings, attempts, failures
    ├── drafts           turns, segments, drafts of a run
    ├── corrections      corrections, and the drafted words against them (rule: word_assignment.py)
    ├── models           models, promotions, lineages
    ├── dataset_source   what datasets are made of
    ├── status, export   counts; canonical lines
    ├── speakers         voices of speakers, and links between speakers
    ├── pseudo_labels    drafts accepted without a person
    ├── redaction        masked spans and terms (erasure: what goes for good)
    ├── people           people of the desk, sessions, tokens (invitations: how they get a password)
    ├── desk             segments on the desk, and the state of each
    ├── leases           leases on segments (segment_edits: their boundaries moved)
    ├── submissions      submitted texts, each once
    ├── reviews          reviews and decisions
    ├── work_items       work items, one a person and segment (pay_disputes: objections to pay)
    ├── dashboard        progress for leads
    ├── audit            audit log, and the check of histories
    └── digests          a digest beside each row, by which a flipped bit is found

Each has its own module and holds the one `Database` (database.py: transactions, groups of writes, pages), whose engine
engine.py found fit, made or migrated.
"""

from transcribe.store.store import Store

__all__ = ["Store"]
