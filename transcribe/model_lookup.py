"""The model of a workspace that a person's word means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transcribe.errors import InputError, MissingError
from transcribe.next_step import find_next_step
from transcribe.records import Model, ModelKind

if TYPE_CHECKING:
    from transcribe.store import Store


def find_model(store: Store, name: str | None, *, kind: ModelKind | None = "recogniser") -> Model:
    """
    Return the model that *name* means, as an id, the beginning of one, or a name; without one the model that drafts.

    Args:
        kind: Only models of this kind; ``None``: of any.

    Raises:
        MissingError: No model has drafted yet; the hint is the next step of an empty workspace.
        InputError: E_MODEL if none or several are meant.
    """
    if name is None:
        promoted = store.models.find_promoted()
        if promoted is None:
            raise MissingError("no model has drafted here yet", hint=find_next_step(store) or "boli run")
        return promoted
    models = [model for model in store.models.fetch() if kind in (None, model.kind)]
    matches = [model for model in models if model.id.startswith(name) or model.name == name]
    if len(matches) != 1:
        names = ", ".join(f"{model.name} ({model.id[:12]})" for model in models) or "none"
        raise InputError(f"the model {name} was asked for, found {len(matches)}; there are: {names}", code="E_MODEL")
    return matches[0]
