"""Models: who can draft, which one does and did, and where each comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from transcribe.errors import MissingError
from transcribe.records import Lineage, Model, Promotion
from transcribe.store.database import Database, insert_into
from transcribe.store.rows import compact, model_of, values_of_model
from transcribe.store.tables import LINEAGES, MODELS, PROMOTIONS


class Models(Database):
    """The part of the store that knows models. At most one is promoted, which an index keeps."""

    def add_model(self, model: Model, *, lineage: Lineage | None = None) -> bool:
        """
        Take *model*. One that is there already keeps its state and gets the new place, name, window and lineage.

        A new one that comes as promoted retires the one before.

        Returns:
            Whether it was new.
        """
        values = values_of_model(model)
        with self.writing() as connection:
            moved = connection.execute(update(MODELS).where(MODELS.c.id == model.id).values(values))
            if not moved.rowcount:
                if model.state == "promoted":
                    _retire(connection)
                connection.execute(insert(MODELS).values(**values, state=model.state, added_at=self.now()))
            if lineage is not None:
                _keep_lineage(connection, _number(connection, model.id), lineage)
        return not moved.rowcount

    def models(self) -> tuple[Model, ...]:
        """All models, in the order they came."""
        with self.reading() as connection:
            return tuple(map(model_of, connection.execute(select(MODELS).order_by(MODELS.c.no))))

    def promoted(self) -> Model | None:
        """The model that drafts; ``None`` as long as none was promoted."""
        with self.reading() as connection:
            row = connection.execute(select(MODELS).where(MODELS.c.state == "promoted")).one_or_none()
        return None if row is None else model_of(row)

    def promote(self, id: str, *, why: str = "chosen") -> None:
        """
        Let the model *id* draft from now on, and retire the one that did. One that drafts already goes on.

        Raises:
            MissingError: If there is no such model; the one before stays.
        """
        with self.writing() as connection:
            number = _number(connection, id)
            before = _drafting(connection)
            if before == number:
                return
            _retire(connection)
            connection.execute(update(MODELS).where(MODELS.c.no == number).values(state="promoted"))
            follow = insert(PROMOTIONS).values(model=number, before=before, why=why, at=self.now())
            connection.execute(follow)

    def roll_back(self) -> Model:
        """
        Let the model draft again that did before the one that drafts now. Again, and it is the one before that.

        Raises:
            MissingError: If none drafted before.
        """
        with self.writing() as connection:
            now = _drafting(connection)
            took_over = (PROMOTIONS.c.model == now) & PROMOTIONS.c.before.is_not(None)
            found = select(PROMOTIONS.c.before).where(took_over).order_by(PROMOTIONS.c.no.desc()).limit(1)
            before = connection.execute(found).scalar_one_or_none()
            if before is None:
                raise MissingError(
                    "the model that drafted before was to draft again; there was none",
                    code="E_MODEL",
                    hint="boli models list names them all, boli run --model FOLDER takes another",
                )
            _retire(connection)
            connection.execute(update(MODELS).where(MODELS.c.no == before).values(state="promoted"))
            # Without the one it took over from, so that the next time leads further back and not to and fro.
            connection.execute(insert(PROMOTIONS).values(model=before, before=None, why="rollback", at=self.now()))
            return model_of(connection.execute(select(MODELS).where(MODELS.c.no == before)).one())

    def promotions(self) -> tuple[Promotion, ...]:
        """Which models drafted, the first one first."""
        model, before = MODELS.alias(), MODELS.alias()
        found = (
            select(PROMOTIONS, model.c.id.label("model_id"), before.c.id.label("before_id"))
            .join(model, PROMOTIONS.c.model == model.c.no)
            .outerjoin(before, PROMOTIONS.c.before == before.c.no)
            .order_by(PROMOTIONS.c.no)
        )
        with self.reading() as connection:
            rows = connection.execute(found).all()
        return tuple(Promotion(model=row.model_id, before=row.before_id, why=row.why, at=row.at) for row in rows)

    def lineage(self, id: str) -> Lineage | None:
        """What the model *id* was made of; ``None`` where it was not tuned here."""
        found = select(LINEAGES.c.lineage).join(MODELS).where(MODELS.c.id == id)
        with self.reading() as connection:
            text = connection.execute(found).scalar_one_or_none()
        facts = None if text is None else json.loads(text)
        return None if facts is None else Lineage(**facts)

    def keep_decision(self, id: str, decision: Mapping[str, Any]) -> None:
        """
        Keep what was decided about a model, with the scores that it was decided by.

        Raises:
            MissingError: If there is no such model.
        """
        with self.writing() as connection:
            text = compact(dict(decision), f"the decision on model {id[:40]}")
            keep = insert_into(connection, LINEAGES).values(
                model=_number(connection, id), lineage="null", decision=text
            )
            connection.execute(keep.on_conflict_do_update(index_elements=["model"], set_={"decision": text}))

    def decision(self, id: str) -> dict[str, Any] | None:
        """What was decided about a model; ``None`` if nothing was yet."""
        found = select(LINEAGES.c.decision).join(MODELS).where(MODELS.c.id == id)
        with self.reading() as connection:
            text = connection.execute(found).scalar_one_or_none()
        return None if text is None else dict(json.loads(text))


def _number(connection: Connection, id: str) -> int:
    number = connection.execute(select(MODELS.c.no).where(MODELS.c.id == id)).scalar_one_or_none()
    if number is None:
        raise MissingError(
            f"model {id[:80]} is not in the workspace",
            code="E_MODEL",
            hint="boli models list names those that are; boli models add FOLDER takes one in",
            item=id,
        )
    return int(number)


def _drafting(connection: Connection) -> int | None:
    return connection.execute(select(MODELS.c.no).where(MODELS.c.state == "promoted")).scalar_one_or_none()


def _retire(connection: Connection) -> None:
    connection.execute(update(MODELS).where(MODELS.c.state == "promoted").values(state="retired"))


def _keep_lineage(connection: Connection, number: int, lineage: Lineage) -> None:
    text = compact(asdict(lineage), "a model's lineage")
    keep = insert_into(connection, LINEAGES).values(model=number, lineage=text)
    connection.execute(keep.on_conflict_do_update(index_elements=["model"], set_={"lineage": text}))
