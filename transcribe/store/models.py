"""Models: who can draft, and which one does."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from transcribe.errors import MissingError
from transcribe.records import Model
from transcribe.store.database import Database
from transcribe.store.rows import model_of, values_of_model
from transcribe.store.tables import MODELS


class Models(Database):
    """The part of the store that knows models. At most one is promoted, which an index keeps."""

    def add_model(self, model: Model) -> bool:
        """
        Take *model*. One that is there already keeps its state and gets the new place, name and window.

        A new one that comes as promoted retires the one before.

        Returns:
            Whether it was new.
        """
        values = values_of_model(model)
        with self.writing() as connection:
            moved = connection.execute(update(MODELS).where(MODELS.c.id == model.id).values(values))
            if moved.rowcount:
                return False
            if model.state == "promoted":
                _retire(connection)
            connection.execute(insert(MODELS).values(**values, state=model.state, added_at=self.now()))
        return True

    def models(self) -> tuple[Model, ...]:
        """All models, in the order they came."""
        with self.reading() as connection:
            return tuple(map(model_of, connection.execute(select(MODELS).order_by(MODELS.c.no))))

    def promoted(self) -> Model | None:
        """The model that drafts; ``None`` as long as none was promoted."""
        with self.reading() as connection:
            row = connection.execute(select(MODELS).where(MODELS.c.state == "promoted")).one_or_none()
        return None if row is None else model_of(row)

    def promote(self, id: str) -> None:
        """
        Let the model *id* draft from now on, and retire the one that did.

        Raises:
            MissingError: If there is no such model; the one before stays.
        """
        with self.writing() as connection:
            if connection.execute(select(MODELS.c.no).where(MODELS.c.id == id)).first() is None:
                raise MissingError(
                    f"model {id[:80]} is not in the workspace",
                    code="E_MODEL",
                    hint="boli run --model FOLDER takes a model in; boli status names the one that drafts",
                    item=id,
                )
            _retire(connection)
            connection.execute(update(MODELS).where(MODELS.c.id == id).values(state="promoted"))


def _retire(connection: Connection) -> None:
    connection.execute(update(MODELS).where(MODELS.c.state == "promoted").values(state="retired"))
