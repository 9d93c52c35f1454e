"""The container that builds the parts of an opened workspace from its settings, each on first use."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from dialects.dialect import Catalogue, load_catalogue
from transcribe import embedded
from transcribe.backends import model_cache, model_catalogue
from transcribe.config import (
    FILE_NAME,
    Layer,
    Settings,
    find_workspace,
    layers,
    load,
    nearest_workspace,
    resolve,
)
from transcribe.desk_records import DeskRules
from transcribe.errors import UsageError
from transcribe.records import Model
from transcribe.store import Store
from transcribe.workspace import TUNED_HERE, check_tuned, database_url, make_private

if TYPE_CHECKING:
    from transcribe.backends.by_dialect import DialectRecogniser
    from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
    from transcribe.backends.pyannote_diariser import PyannoteDiariser
    from transcribe.datasets import Rules
    from transcribe.datasets.manifest import Frozen
    from transcribe.glossary import Glossary
    from transcribe.pipeline.recipe import Lever, Recipe, SecondOpinion


_DATASET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Wiring:
    """An opened workspace. Closing it closes the store, if that was opened."""

    def __init__(self, workspace: Path, settings: Settings) -> None:
        self.workspace = workspace
        self.settings = settings

    @classmethod
    def open(cls, workspace: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Wiring:
        """Open *workspace* (or the one that ``find_workspace`` finds) with *overrides* over its settings."""
        folder = find_workspace(workspace)
        make_private(folder)
        return cls(folder, load(folder / FILE_NAME, overrides, user_file=user_file()))

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
        url = database_url(self.settings.store.url, self.workspace)
        if named is None:
            return Store.open(url, workspace=self.workspace)
        # Here and below what takes long to import is imported where it is used: `boli status` needs none of it.
        from transcribe.redaction import terms_in

        terms = terms_in(self.workspace / named)
        store = Store.open(url, workspace=self.workspace)
        store.database.terms = terms
        return store

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue()

    @cached_property
    def diariser(self) -> PyannoteDiariser:
        return self.load_diariser(self.diariser_place)

    def load_diariser(self, location: str) -> PyannoteDiariser:
        """
        Load the diariser at *location*.

        Raises:
            InputError: E_MODEL_CHECKSUM if it was tuned here and its files are others now.
        """
        from transcribe.backends.pyannote_diariser import PyannoteDiariser

        settings = self.settings.diariser
        folder = self.diariser_folder(location)
        check_tuned(self.store, location, "diariser", self.diariser_folder)
        return PyannoteDiariser(
            folder, device=settings.device, threads=settings.threads, allow_download=self.settings.models.allow_download
        )

    def diariser_folder(self, location: str) -> str:
        """Return the diariser's folder: embedded, tuned here, or elsewhere; or its hub id."""
        if location.startswith(TUNED_HERE):
            return str(self.workspace / location)
        return _locate(location, embedded.diariser())

    @cached_property
    def diariser_place(self) -> str:
        """
        The model that tells speakers apart, by its name, folder or hub id.

        One that was tuned here and promoted serves as long as the settings name none that is new to the workspace.
        ``auto`` keeps to the real one that this workspace began with; a better one that came to the machine later does
        not diarise everything again.
        """
        settings = self.settings.diariser
        promoted = self.store.models.find_promoted("diariser")
        registered = {model.place for model in self.store.models.fetch() if model.kind == "diariser"}
        if promoted is not None and settings.model in {model_catalogue.AUTO, *registered}:
            return promoted.place
        if settings.model != model_catalogue.AUTO:
            return settings.model
        chosen = model_catalogue.read_choice(self._auto_file)
        if chosen not in (None, embedded.NAME):
            return str(chosen)
        best = model_cache.best_here("diariser", device=settings.device)
        return embedded.NAME if best is None else best.name

    def drafting_sentence(self) -> str:
        """Name the models that draft and tell speakers apart, and how to get real ones where none is here."""
        drafter, diariser = self._choose_drafter(), self.diariser_place
        sentence = f"{drafter} drafts, {diariser} tells speakers apart"
        small = [
            name for model, name in ((drafter, "whisper-base"), (diariser, "diariser-real")) if model == embedded.NAME
        ]
        if not small:
            return sentence
        gets = " and ".join(f"boli models get {name}" for name in small)
        return f"{sentence}; the small embedded models serve, which know little: {gets} fetch real ones"

    def recipe(self) -> Recipe:
        """Build the recipe of drafts. A base model that is new to the workspace becomes its promoted one."""
        location = self._choose_drafter()
        recogniser = self.load_recogniser(location)
        self._register(recogniser, location)
        if self.settings.diariser.model == model_catalogue.AUTO and self.store.models.find_promoted("diariser") is None:
            model_catalogue.write_choice(self._auto_file, self.diariser_place)
        return self._build_recipe(recogniser, location)

    def load_recogniser(
        self, location: str, *, beam_size: int | None = None
    ) -> FasterWhisperRecogniser | DialectRecogniser:
        """
        Load the recogniser at *location*: one Whisper, or several by dialect.

        Raises:
            MissingError: It is not on this machine.
            InputError: E_MODEL if the folder is no Whisper in CTranslate2's format, E_MODEL_CHECKSUM if it was tuned
                here and its files are others now.
        """
        from transcribe.backends import by_dialect

        check_tuned(self.store, location, "recogniser", self.model_folder)
        routes = by_dialect.read_routes(Path(self.model_folder(location)))
        if routes is None:
            return self._load_whisper(location, beam_size=beam_size)
        locations = {routes.others, *routes.by_dialect.values()}
        parts = {part: self._load_whisper(part, beam_size=beam_size) for part in sorted(locations)}
        part_by_dialect = {tag: parts[part] for tag, part in routes.by_dialect.items()}
        return by_dialect.DialectRecogniser(parts[routes.others], part_by_dialect)

    def recipe_with(self, location: str) -> Recipe:
        """Build the recipe of drafts by the model at *location*; nothing is promoted by it."""
        return self._build_recipe(self.load_recogniser(location), location)

    def _build_recipe(self, recogniser: FasterWhisperRecogniser | DialectRecogniser, location: str) -> Recipe:
        from transcribe.backends.voice_activity import SileroDetector
        from transcribe.pipeline.recipe import Recipe

        decoding, cutting = self.settings.recogniser, self.settings.segmenting
        return Recipe(
            diariser=self.diariser,
            detector=SileroDetector(),
            recogniser=recogniser,
            catalogue=self.catalogue,
            window=decoding.window_ms or recogniser.window,
            join_gap=cutting.join_gap_ms,
            longest=cutting.longest_ms,
            second=self._build_second_opinion(location),
            levers=self._read_levers(recogniser),
            glossary=self.glossary,
            count_tokens=recogniser.count_tokens,
            decoding={
                "beam_size": decoding.beam_size,
                "batch_size": decoding.batch_size,
                "compute_type": decoding.compute_type,
            },
            workers=recogniser.workers,
        )

    def _build_second_opinion(self, location: str) -> SecondOpinion | None:
        """Build greedy decoding by the second model that the settings name, else by the drafter at *location*."""
        from transcribe.pipeline.recipe import SecondOpinion

        settings = self.settings.recogniser
        if settings.second_model is None and not settings.second_pass:
            return None
        recogniser = self.load_recogniser(settings.second_model or location, beam_size=1)
        return SecondOpinion(recogniser=recogniser, window=recogniser.window, language=recogniser.only_language)

    @property
    def _auto_file(self) -> Path:
        """The file that names the diariser that ``auto`` chose for this workspace."""
        return self.workspace / "models" / model_catalogue.CHOICE_FILE

    @property
    def glossary(self) -> Glossary:
        """The project's own names, as the workspace's file has them now."""
        from transcribe import glossary

        return glossary.read_glossary(self.workspace / glossary.FILE, self.catalogue)

    def open_dataset(self, name: str, *, whole: bool = False) -> Frozen:
        """
        Open the frozen dataset called *name*, checked against its hash.

        Args:
            whole: With recordings that are withheld since: to describe it, never to learn from it or to measure with.

        Raises:
            InputError: E_DATASET if there is none, naming the nearest.
        """
        from transcribe.datasets.manifest import read_dataset

        frozen, withheld = read_dataset(self.dataset_folder(name)), self.store.facts.fetch_withheld()
        if whole or not withheld:
            return frozen
        among = frozenset(example.audio for example in frozen.examples() if example.audio in withheld)
        return replace(frozen, withheld=among)

    def dataset_folder(self, name: str) -> Path:
        """
        Return the folder of the frozen dataset called *name*, there or not.

        Raises:
            UsageError: The name cannot be one of a folder.
        """
        if not _DATASET_NAME.fullmatch(name):
            hint = "letters, digits, dots, dashes and underlines, beginning with a letter or digit"
            raise UsageError(f"{name!r} was given as a dataset's name", hint=hint)
        return self.workspace / "datasets" / name

    @property
    def refusing(self) -> frozenset[str]:
        """The words of a consent that refuse, in lower case."""
        return frozenset(word.strip().lower() for word in self.settings.dataset.refused_consent)

    def dataset_rules(self) -> Rules:
        """Build the rules of the workspace's datasets from its settings."""
        from transcribe import audio, datasets

        settings = self.settings.dataset
        return datasets.Rules(
            catalogue=self.catalogue,
            closed_vocabulary=settings.closed_vocabulary,
            guideline=settings.guideline,
            sounds=lambda recording: audio.locate(self.audio_folder, recording).is_file(),
        )

    def desk_rules(self) -> DeskRules:
        """Build the rules of the correction desk from the workspace's settings."""
        return DeskRules(**self.settings.desk.model_dump(include=set(DeskRules.__dataclass_fields__)))

    @property
    def levers_file(self) -> Path:
        """The file of levers that help single dialects, by model."""
        from transcribe.pipeline import recipe as decoding_profile

        return self.workspace / "models" / decoding_profile.FILE

    @property
    def clock(self) -> Callable[[], float]:
        """The clock that speeds are measured by: processor time, or wall time where a GPU does the work."""
        if self.settings.recogniser.device == "cpu":
            return time.process_time
        import ctranslate2

        return time.perf_counter if ctranslate2.get_cuda_device_count() else time.process_time

    def model_folder(self, location: str) -> str:
        """Return the recogniser's folder: embedded, of the workspace, or elsewhere; or its hub id."""
        folder = self.workspace / location
        if location != embedded.NAME and folder.is_dir():
            return str(folder)
        return _locate(location, embedded.whisper())

    def _choose_drafter(self) -> str:
        """
        Choose the model that drafts: a base that the settings name for the first time, else the promoted one.

        ``auto`` names the best real model that is here where nothing has drafted, or the embedded model; a real one
        that drafts stays, whatever comes to the machine later.
        """
        named, promoted = self.settings.recogniser.model, self.store.models.find_promoted()
        if named == model_catalogue.AUTO:
            if promoted is not None and promoted.place != embedded.NAME:
                return promoted.place
            best = model_cache.best_here("recogniser", device=self.settings.recogniser.device)
            named = embedded.NAME if best is None else best.name
        new = named not in {model.place for model in self.store.models.fetch()}
        return named if new or promoted is None else promoted.place

    def _read_levers(self, recogniser: FasterWhisperRecogniser | DialectRecogniser) -> dict[str, Lever]:
        """Read the lever of each dialect for the model that drafts it; the recogniser's own go first."""
        from transcribe.backends.by_dialect import DialectRecogniser
        from transcribe.pipeline.recipe import read_levers

        levers_by_model = read_levers(self.levers_file)
        of_whole = levers_by_model.get(recogniser.id, {})
        if not isinstance(recogniser, DialectRecogniser):
            return of_whole
        of_others = {
            tag: lever
            for tag, lever in levers_by_model.get(recogniser.others.id, {}).items()
            if tag not in recogniser.by_dialect
        }
        of_parts = {
            tag: lever
            for tag, part in recogniser.by_dialect.items()
            if (lever := levers_by_model.get(part.id, {}).get(tag)) is not None
        }
        return {**of_others, **of_parts, **of_whole}

    def _load_whisper(self, location: str, *, beam_size: int | None = None) -> FasterWhisperRecogniser:
        from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser

        settings = self.settings.recogniser
        return FasterWhisperRecogniser(
            self.model_folder(location),
            device=settings.device,
            compute_type=settings.compute_type,
            beam_size=beam_size or settings.beam_size,
            batch_size=settings.batch_size,
            threads=settings.threads,
            allow_download=self.settings.models.allow_download,
        )

    def _register(self, recogniser: FasterWhisperRecogniser | DialectRecogniser, location: str) -> None:
        if recogniser.id in {model.id for model in self.store.models.fetch()}:
            return
        model = Model(id=recogniser.id, place=location, name=Path(location).name, window=recogniser.window)
        self.store.models.add(model)
        self.store.models.promote(model.id)


def read_settings(workspace: Path | None) -> Settings:
    """Read the settings in force, in a workspace or outside of one."""
    return resolve(read_layers(workspace))


def read_layers(workspace: Path | None) -> list[Layer]:
    """Read the layers of the settings; outside a workspace the defaults, the user's file and the environment."""
    folder = nearest_workspace(workspace)
    return layers(folder / FILE_NAME if folder else None, user_file=user_file())


def user_file() -> Path:
    """Return the file of the settings that a person keeps for all workspaces."""
    from platformdirs import user_config_path

    return user_config_path("boli") / FILE_NAME


def _locate(location: str, embedded_folder: Path) -> str:
    return str(embedded_folder) if location == embedded.NAME else model_cache.locate(location)
