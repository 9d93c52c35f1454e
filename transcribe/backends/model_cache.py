"""The folder of this machine, outside every workspace, that fetched and converted models are kept in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Names another cache folder.
VARIABLE: Final = "BOLI_MODELS_CACHE"


def cache_folder() -> Path:
    """Return the folder that holds the fetched models, one folder each; it need not exist."""
    from platformdirs import user_cache_path

    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else user_cache_path("boli") / "models"
