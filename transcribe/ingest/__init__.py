"""
Take files and facts in: paths or a manifest to recordings in the store.

    planning     what is to be taken in             tables       rows of CSV, JSONL and Parquet
    manifest     rows to arrivals                   strict_json  JSON without tricks
    places       folders, roots, paths              lines, timed RTTM, STM and timed tables
    sidecars     turns that come with a recording   cells        what a row's columns say
    splits       who has to stay together           remote       object stores
    tagging      dialects looked up                 references   texts that come with them
    taking       arrivals to recordings             outcomes     what became of a batch
"""

from transcribe.ingest.arrivals import Arrival
from transcribe.ingest.outcomes import Ingested, Progress
from transcribe.ingest.planning import plan
from transcribe.ingest.splits import Shares
from transcribe.ingest.taking import Rules, ingest

__all__ = ["Arrival", "Ingested", "Progress", "Rules", "Shares", "ingest", "plan"]
