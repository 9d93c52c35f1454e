"""Settings to opened parts: the one place that knows which class stands behind which seam. All built on first use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from dialects.dialect import Catalogue, load_catalogue
from transcribe import embedded, levers
from transcribe.backends import auto_models, model_cache, model_catalogue
from transcribe.backends.identity import folder_id
from transcribe.config import FILE_NAME, Settings, find_workspace, load
from transcribe.errors import InputError
from transcribe.glossary import FILE as GLOSSARY_FILE
from transcribe.glossary import Glossary, read_glossary
from transcribe.masking import terms_in
from transcribe.records import Model
from transcribe.store import Store
from transcribe.workspace import database_url

if TYPE_CHECKING:
    from transcribe.backends.by_dialect import DialectRecogniser
    from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
    from transcribe.backends.pyannote_diariser import PyannoteDiariser
    from transcribe.drafting import Recipe, SecondOpinion


#: What the places of diarisers begin with that were tuned in the workspace.
TUNED_HERE: Final = "models/"


class Wiring:
    """An opened workspace. Closing it closes the store, if that was opened."""

    def __init__(self, workspace: Path, settings: Settings) -> None:
        self.workspace = workspace
        self.settings = settings

    @classmethod
    def open(cls, workspace: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Wiring:
        """The workspace *workspace* (or the one that ``find_workspace`` finds) with *overrides* over its settings."""
        place = find_workspace(workspace)
        return cls(place, load(place / FILE_NAME, overrides, user_file=user_file()))

    def __enter__(self) -> Wiring:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "store" in self.__dict__:
            self.store.close()

    @property
    def audio_folder(self) -> Path:
        return self.workspace / "audio"

    @cached_property
    def store(self) -> Store:
        named = self.settings.desk.mask_terms
        terms = terms_in(None if named is None else self.workspace / named)
        store = Store.open(database_url(self.settings.store.url, self.workspace))
        store.terms = terms
        return store

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue()

    @cached_property
    def diariser(self) -> PyannoteDiariser:
        return self.diariser_in(self.diariser_place)

    def diariser_in(self, place: str) -> PyannoteDiariser:
        """
        The diariser in *place*, loaded.

        Raises:
            InputError: E_MODEL_CHECKSUM if it was tuned here and its files are others now.
        """
        from transcribe.backends.pyannote_diariser import PyannoteDiariser

        given = self.settings.diariser
        folder = self.diariser_folder(place)
        if place.startswith(TUNED_HERE):
            self._verify_tuned(place, Path(folder))
        return PyannoteDiariser(
            folder, device=given.device, threads=given.threads, allow_download=self.settings.models.allow_download
        )

    def diariser_folder(self, place: str) -> str:
        """Where the diariser in *place* lies: ours, one that was tuned here, a folder elsewhere, or a hub id."""
        return str(self.workspace / place) if place.startswith(TUNED_HERE) else _folder(place, embedded.diariser())

    def _verify_tuned(self, place: str, folder: Path) -> None:
        """Hold the files of a diariser that was tuned here against the id that it was registered with."""
        ids = {model.id for model in self.store.models() if model.kind == "diariser" and model.place == place}
        state = "its folder is gone" if not folder.is_dir() else "its files are others now"
        if not folder.is_dir() or (ids and folder_id(folder) not in ids):
            raise InputError(
                f"the diariser {place} is not what was tuned: {state}",
                code="E_MODEL_CHECKSUM",
                hint="bring the files back, or boli models rollback --kind diariser",
                item=place,
            )

    @cached_property
    def diariser_place(self) -> str:
        """
        The model that tells speakers apart, by its name, folder or hub id.

        One that was tuned here and promoted serves as long as the settings name none that is new to the workspace.
        ``auto`` keeps to the real one that this workspace began with; a better one that came to the machine later does
        not diarise everything again.
        """
        given = self.settings.diariser
        promoted = self.store.promoted_model("diariser")
        known = {model_catalogue.AUTO, *(model.place for model in self.store.models() if model.kind == "diariser")}
        if promoted is not None and given.model in known:
            return promoted.place
        if given.model != model_catalogue.AUTO:
            return given.model
        chosen = auto_models.read(self._auto_file)
        if chosen not in (None, embedded.NAME):
            return str(chosen)
        best = model_cache.best_here("diariser", device=given.device)
        return embedded.NAME if best is None else best.name

    def drafting_sentence(self) -> str:
        """Name the models that draft and tell speakers apart, and how to get real ones where none is here."""
        drafter, diariser = self._drafter(), self.diariser_place
        sentence = f"{drafter} drafts, {diariser} tells speakers apart"
        small = [
            get for place, get in ((drafter, "whisper-base"), (diariser, "diariser-real")) if place == embedded.NAME
        ]
        if not small:
            return sentence
        gets = " and ".join(f"boli models get {name}" for name in small)
        return f"{sentence}; the small embedded models serve, which know little: {gets} fetch real ones"

    def recipe(self) -> Recipe:
        """What drafts are made with. A base model that is new to the workspace becomes its promoted one."""
        place = self._drafter()
        recogniser = self._recogniser(place)
        self._register(recogniser, place)
        if self.settings.diariser.model == model_catalogue.AUTO and self.store.promoted_model("diariser") is None:
            auto_models.write(self._auto_file, self.diariser_place)
        return self._recipe(recogniser, place)

    def recogniser_in(self, place: str) -> FasterWhisperRecogniser | DialectRecogniser:
        """
        The model in *place*, loaded.

        Raises:
            MissingError: It is not on this machine.
            InputError: E_MODEL if the folder is no Whisper in CTranslate2's format.
        """
        return self._recogniser(place)

    def recipe_with(self, place: str) -> Recipe:
        """What drafts would be made with by the model in *place*; nothing is promoted by it."""
        return self._recipe(self._recogniser(place), place)

    def _recipe(self, recogniser: FasterWhisperRecogniser | DialectRecogniser, place: str) -> Recipe:
        from transcribe.backends.voice_activity import SileroDetector
        from transcribe.drafting import Recipe

        given, cutting = self.settings.recogniser, self.settings.segmenting
        return Recipe(
            diariser=self.diariser,
            detector=SileroDetector(),
            recogniser=recogniser,
            catalogue=self.catalogue,
            window=given.window_ms or recogniser.window,
            join_gap=cutting.join_gap_ms,
            longest=cutting.longest_ms,
            second=self._second_opinion(place),
            levers=self._levers(recogniser),
            glossary=self.glossary,
            count_tokens=recogniser.count_tokens,
            decoding={"beam_size": given.beam_size, "batch_size": given.batch_size, "compute_type": given.compute_type},
            workers=recogniser.workers,
        )

    def _second_opinion(self, place: str) -> SecondOpinion | None:
        """A greedy hearing by the second model that the settings name, else by the drafter in *place* itself."""
        from transcribe.drafting import SecondOpinion

        given = self.settings.recogniser
        if given.second_model is None and not given.second_pass:
            return None
        recogniser = self._recogniser(given.second_model or place, beam_size=1)
        return SecondOpinion(recogniser=recogniser, window=recogniser.window, language=recogniser.only_language)

    @property
    def _auto_file(self) -> Path:
        """The diariser that ``auto`` chose for this workspace."""
        return self.workspace / "models" / auto_models.FILE

    @property
    def glossary(self) -> Glossary:
        """The project's own names, as the workspace's file has them now."""
        return read_glossary(self.workspace / GLOSSARY_FILE, self.catalogue)

    @property
    def levers_file(self) -> Path:
        """What helps single dialects, by model."""
        return self.workspace / "models" / levers.FILE

    @property
    def clock(self) -> Callable[[], float]:
        """What speeds are measured by: processor time, or the wall's where a GPU does the work."""
        given = self.settings.recogniser.device
        if given == "cpu":
            return time.process_time
        import ctranslate2

        return time.perf_counter if ctranslate2.get_cuda_device_count() else time.process_time

    def model_folder(self, place: str) -> str:
        """Where the recogniser in *place* lies: ours, one of the workspace, a folder elsewhere, or a hub id."""
        own = self.workspace / place
        return str(own) if place != embedded.NAME and own.is_dir() else _folder(place, embedded.whisper())

    def _drafter(self) -> str:
        """
        Place of the model that drafts: a base that the settings name for the first time, else the promoted one.

        ``auto`` names the best real model that is here where nothing has drafted, or the embedded model; a real one
        that drafts stays, whatever comes to the machine later.
        """
        named, promoted = self.settings.recogniser.model, self.store.promoted_model()
        if named == model_catalogue.AUTO:
            if promoted is not None and promoted.place != embedded.NAME:
                return promoted.place
            best = model_cache.best_here("recogniser", device=self.settings.recogniser.device)
            named = embedded.NAME if best is None else best.name
        new = named not in {model.place for model in self.store.models()}
        return named if new or promoted is None else promoted.place

    def _levers(self, recogniser: FasterWhisperRecogniser | DialectRecogniser) -> dict[str, levers.Lever]:
        """What helps each dialect with the model that hears it."""
        from transcribe.backends.by_dialect import DialectRecogniser

        known = levers.read(self.levers_file)
        own = known.get(recogniser.id, {})
        if not isinstance(recogniser, DialectRecogniser):
            return own
        of_others = {
            tag: lever for tag, lever in known.get(recogniser.others.id, {}).items() if tag not in recogniser.by_dialect
        }
        of_parts = {
            tag: lever
            for tag, part in recogniser.by_dialect.items()
            if (lever := known.get(part.id, {}).get(tag)) is not None
        }
        return {**of_others, **of_parts, **own}

    def _recogniser(self, model: str, *, beam_size: int | None = None) -> FasterWhisperRecogniser | DialectRecogniser:
        """What the model in the place *model* hears with: one Whisper, or several by dialect."""
        from transcribe.backends import by_dialect

        routes = by_dialect.read(Path(self.model_folder(model)))
        if routes is None:
            return self._whisper(model, beam_size=beam_size)
        places = {routes.others, *routes.by_dialect.values()}
        parts = {place: self._whisper(place, beam_size=beam_size) for place in sorted(places)}
        own = {tag: parts[place] for tag, place in routes.by_dialect.items()}
        return by_dialect.DialectRecogniser(parts[routes.others], own)

    def _whisper(self, model: str, *, beam_size: int | None = None) -> FasterWhisperRecogniser:
        from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser

        given = self.settings.recogniser
        return FasterWhisperRecogniser(
            self.model_folder(model),
            device=given.device,
            compute_type=given.compute_type,
            beam_size=beam_size or given.beam_size,
            batch_size=given.batch_size,
            threads=given.threads,
            allow_download=self.settings.models.allow_download,
        )

    def _register(self, recogniser: FasterWhisperRecogniser | DialectRecogniser, place: str) -> None:
        if recogniser.id in {model.id for model in self.store.models()}:
            return
        model = Model(id=recogniser.id, place=place, name=Path(place).name, window=recogniser.window)
        self.store.add_model(model)
        self.store.promote(model.id)


def user_file() -> Path:
    """The settings that a person keeps for all workspaces."""
    from platformdirs import user_config_path

    return user_config_path("boli") / FILE_NAME


def _folder(model: str, ours: Path) -> str:
    return str(ours) if model == embedded.NAME else model_cache.locate(model)
