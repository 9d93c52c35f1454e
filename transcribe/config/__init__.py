"""
Typed settings: frozen, unknown keys refused, each value traceable to where it came from.

Order, the later wins: the code's defaults, the user's file, the workspace's ``boli.toml``, the environment
(``BOLI_…``, ``__`` nests), options of the command line.
"""

from transcribe.config.sections import (
    DatasetSettings,
    DeskSettings,
    DiariserGateSettings,
    DiariserSettings,
    DiariserTrainSettings,
    GateSettings,
    GrowSettings,
    ImproveSettings,
    IngestSettings,
    ModelsSettings,
    RecogniserSettings,
    ReportSettings,
    Section,
    SegmentingSettings,
    Settings,
    StoreSettings,
    TrainSettings,
)
from transcribe.config.sources import (
    FILE_NAME,
    NOT_SETTINGS,
    PREFIX,
    Layer,
    Tree,
    find_workspace,
    fingerprint,
    flatten,
    layers,
    load,
    nearest_workspace,
    origins,
    resolve,
)

__all__ = [
    "FILE_NAME",
    "NOT_SETTINGS",
    "PREFIX",
    "DatasetSettings",
    "DeskSettings",
    "DiariserGateSettings",
    "DiariserSettings",
    "DiariserTrainSettings",
    "GateSettings",
    "GrowSettings",
    "ImproveSettings",
    "IngestSettings",
    "Layer",
    "ModelsSettings",
    "RecogniserSettings",
    "ReportSettings",
    "Section",
    "SegmentingSettings",
    "Settings",
    "StoreSettings",
    "TrainSettings",
    "Tree",
    "find_workspace",
    "fingerprint",
    "flatten",
    "layers",
    "load",
    "nearest_workspace",
    "origins",
    "resolve",
]
