"""Drafts are known again by everything that changes them."""

from __future__ import annotations

from pathlib import Path

from dialects.dialect import load_catalogue
from tests.desk_setup import recipe
from tests.scripted import ScriptedDiariser, ScriptedRecogniser
from transcribe.glossary import Glossary, Term
from transcribe.pipeline.recipe import Lever, SecondOpinion


def test_names_that_the_prompt_has_no_room_for_are_counted_in_a_warning() -> None:
    terms = tuple(Term(text=f"name-{number:02}", dialect=("hi", "ta")[number > 4]) for number in range(20))
    [warning] = recipe(glossary=Glossary(terms=terms)).warnings
    assert warning.startswith("W_GLOSSARY: 4 names of glossary.tsv for ta ")
    assert recipe().warnings == ()


def test_work_is_known_again_by_everything_that_changes_a_draft(tmp_path: Path) -> None:
    (tmp_path / "hi.toml").write_text(
        'language = "hi"\nname = "Hindi"\nscript = "Deva"\nprompt = "नमस्ते"', encoding="utf-8"
    )
    others = [
        recipe(diariser=ScriptedDiariser(level=0.02)),
        recipe(recogniser=ScriptedRecogniser(level=0.02)),
        recipe(second=SecondOpinion(recogniser=ScriptedRecogniser(level=0.02))),
        recipe(second=SecondOpinion(recogniser=ScriptedRecogniser(level=0.02), window=9_000)),
        recipe(window=10_000),
        recipe(glossary=Glossary(terms=(Term(text="Ravi"),))),
        recipe(join_gap=300),
        recipe(levers={"hi": Lever(beam_size=1)}),
        recipe(longest=20_000),
        recipe(decoding={"beam_size": 1}),
        recipe(catalogue=load_catalogue(tmp_path)),
    ]
    keys = {made.settings for made in [recipe(), *others]}
    assert len(keys) == 1 + len(others)
    assert recipe().settings == recipe(diariser=ScriptedDiariser(delay_s=1.0)).settings


def test_turns_are_known_again_by_the_diariser_alone() -> None:
    assert recipe(window=10_000, join_gap=0).diarisation == recipe().diarisation
    assert recipe(diariser=ScriptedDiariser(level=0.02)).diarisation != recipe().diarisation
