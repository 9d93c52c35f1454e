"""The models that draft and tell speakers apart: the promoted one of each kind, those before it, and lineages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from transcribe.errors import MissingError
from transcribe.records import Lineage, Model, ModelKind, Promotion
from transcribe.store.database import Database
from transcribe.store.rows import encode_json, insert_into, model_of, values_of_model
from transcribe.store.schema import LINEAGES, MODELS, PROMOTIONS


@dataclass(frozen=True)
class Models:
    """The models. At most one of each kind is promoted, which an index keeps."""

    database: Database

    def add(self, model: Model, *, lineage: Lineage | None = None) -> bool:
        """
        Add *model*; one that is there already keeps its state and gets the new place, name, window and lineage.

        A new one that comes as promoted retires the one of its kind before.

        Returns:
            Whether it was new.
        """
        values = values_of_model(model)
        with self.database.begin_write() as connection:
            moved = connection.execute(update(MODELS).where(MODELS.c.id == model.id).values(values))
            if not moved.rowcount:
                if model.state == "promoted":
                    _retire_promoted(connection, model.kind)
                connection.execute(insert(MODELS).values(**values, state=model.state, added_at=self.database.now()))
            if lineage is not None:
                _save_lineage(connection, _find_number(connection, model.id), lineage)
        return not moved.rowcount

    def fetch(self) -> tuple[Model, ...]:
        """Return all models, in the order they came."""
        with self.database.begin_read() as connection:
            return tuple(map(model_of, connection.execute(select(MODELS).order_by(MODELS.c.no))))

    def find_promoted(self, kind: ModelKind = "recogniser") -> Model | None:
        """Return the model of *kind* that is in use; ``None`` as long as none was promoted."""
        with self.database.begin_read() as connection:
            row = connection.execute(select(MODELS).where(_is_in_use(kind))).one_or_none()
        return None if row is None else model_of(row)

    def promote(self, id: str, *, why: str = "chosen") -> None:
        """
        Promote the model *id*, and retire the one of its kind before; a promoted one stays so.

        Raises:
            MissingError: If there is no such model; the one before stays.
        """
        with self.database.begin_write() as connection:
            number = _find_number(connection, id)
            kind = connection.execute(select(MODELS.c.kind).where(MODELS.c.no == number)).scalar_one()
            previous = _find_promoted(connection, kind)
            if previous == number:
                return
            _retire_promoted(connection, kind)
            connection.execute(update(MODELS).where(MODELS.c.no == number).values(state="promoted"))
            follow = insert(PROMOTIONS).values(model=number, before=previous, why=why, at=self.database.now())
            connection.execute(follow)

    def roll_back(self, kind: ModelKind = "recogniser") -> Model:
        """
        Promote the model of *kind* again that was before the present one; called again, the one before that.

        Raises:
            MissingError: If none served before.
        """
        with self.database.begin_write() as connection:
            now = _find_promoted(connection, kind)
            took_over = (PROMOTIONS.c.model == now) & PROMOTIONS.c.before.is_not(None)
            query = select(PROMOTIONS.c.before).where(took_over).order_by(PROMOTIONS.c.no.desc()).limit(1)
            previous = connection.execute(query).scalar_one_or_none()
            if previous is None:
                verb = "draft" if kind == "recogniser" else "diarise"
                raise MissingError(
                    f"the {kind} before the one of now was to {verb} again; there was none",
                    code="E_MODEL",
                    hint=f"boli models list names them all, {kind}.model sets another",
                )
            _retire_promoted(connection, kind)
            connection.execute(update(MODELS).where(MODELS.c.no == previous).values(state="promoted"))
            # Without the one it took over from, so that the next time leads further back and not to and fro.
            connection.execute(
                insert(PROMOTIONS).values(model=previous, before=None, why="rollback", at=self.database.now())
            )
            return model_of(connection.execute(select(MODELS).where(MODELS.c.no == previous)).one())

    def fetch_promotions(self) -> tuple[Promotion, ...]:
        """Return the models that were in use, the first one first."""
        model, previous = MODELS.alias(), MODELS.alias()
        query = (
            select(PROMOTIONS, model.c.id.label("model_id"), previous.c.id.label("before_id"))
            .join(model, PROMOTIONS.c.model == model.c.no)
            .outerjoin(previous, PROMOTIONS.c.before == previous.c.no)
            .order_by(PROMOTIONS.c.no)
        )
        with self.database.begin_read() as connection:
            rows = connection.execute(query).all()
        return tuple(Promotion(model=row.model_id, before=row.before_id, why=row.why, at=row.at) for row in rows)

    def find_lineage(self, id: str) -> Lineage | None:
        """Return what the model *id* was made of; ``None`` where it was not tuned here."""
        query = select(LINEAGES.c.lineage).join(MODELS).where(MODELS.c.id == id)
        with self.database.begin_read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        facts = None if text is None else json.loads(text)
        return None if facts is None else Lineage(**{**facts, "withheld": tuple(facts.get("withheld", ()))})

    def save_decision(self, id: str, decision: Mapping[str, Any]) -> None:
        """
        Keep what was decided about a model, with the scores that it was decided by.

        Raises:
            MissingError: If there is no such model.
        """
        with self.database.begin_write() as connection:
            text = encode_json(dict(decision), f"the decision on model {id[:40]}")
            keep = insert_into(connection, LINEAGES).values(
                model=_find_number(connection, id), lineage="null", decision=text
            )
            connection.execute(keep.on_conflict_do_update(index_elements=["model"], set_={"decision": text}))

    def find_decision(self, id: str) -> dict[str, Any] | None:
        """Return the decision about a model; ``None`` if there is none yet."""
        query = select(LINEAGES.c.decision).join(MODELS).where(MODELS.c.id == id)
        with self.database.begin_read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return None if text is None else dict(json.loads(text))


def _find_number(connection: Connection, id: str) -> int:
    number = connection.execute(select(MODELS.c.no).where(MODELS.c.id == id)).scalar_one_or_none()
    if number is None:
        raise MissingError(
            f"model {id[:80]} is not in the workspace",
            code="E_MODEL",
            hint="boli models list names those that are; boli models add FOLDER takes one in",
            item=id,
        )
    return int(number)


def _is_in_use(kind: str) -> ColumnElement[bool]:
    return (MODELS.c.state == "promoted") & (MODELS.c.kind == kind)


def _find_promoted(connection: Connection, kind: str) -> int | None:
    return connection.execute(select(MODELS.c.no).where(_is_in_use(kind))).scalar_one_or_none()


def _retire_promoted(connection: Connection, kind: str) -> None:
    connection.execute(update(MODELS).where(_is_in_use(kind)).values(state="retired"))


def _save_lineage(connection: Connection, number: int, lineage: Lineage) -> None:
    text = encode_json(asdict(lineage), "a model's lineage")
    keep = insert_into(connection, LINEAGES).values(model=number, lineage=text)
    connection.execute(keep.on_conflict_do_update(index_elements=["model"], set_={"lineage": text}))
