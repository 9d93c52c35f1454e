"""Keep the model hub out of reach unless the user asked for it, and notice within seconds when it does not answer."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

#: Seconds after which a hub that does not answer counts as out of reach.
PATIENCE_S = 4.0


@contextlib.contextmanager
def hub(*, reachable: bool) -> Iterator[None]:
    """
    Keep the hub's client off the network unless *reachable*.

    The client reads its switch once, when it is imported, which another part of the program may have done.
    """
    if reachable:
        yield
        return
    previous = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    from huggingface_hub import constants

    switch, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = switch
        if previous is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = previous


def hub_answers() -> bool:
    """Tell if the hub answers within `PATIENCE_S`; names that never resolve would block for longer."""
    from huggingface_hub import constants, get_session

    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(Exception):
            get_session().head(constants.ENDPOINT, timeout=PATIENCE_S)
            answered.set()

    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(PATIENCE_S)
