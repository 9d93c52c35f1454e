"""
Take files and facts in: paths or a manifest to recordings in the store.

    manifest   named files and a manifest's rows to items     splits   who has to stay together
    item       a file and its facts; the sum of a batch       timed    RTTM, STM and timed tables
    paths      folders, roots, paths, object stores           sidecars turns and texts that come with a recording
    ingest     items to recordings: sound, splits, references tags     dialects of items
"""

from transcribe.ingest.ingest import Rules, ingest
from transcribe.ingest.item import Arrival, Ingested, Progress
from transcribe.ingest.manifest import plan, plan_refused
from transcribe.ingest.splits import Shares

__all__ = ["Arrival", "Ingested", "Progress", "Rules", "Shares", "ingest", "plan", "plan_refused"]
