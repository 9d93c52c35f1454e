"""Manifests of public corpora, from small folders of their shape."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.media import tone, wav
from tests.ingest.factories import plan_arrivals, sound
from transcribe.errors import InputError, UsageError
from transcribe.ingest import Arrival
from transcribe.ingest.layouts import LAYOUTS, write_manifest


def arrivals(name: str, folder: Path) -> list[Arrival]:
    """What ``boli ingest`` would take in by the manifest of the corpus."""
    file, count = write_manifest(name, folder)
    planned = plan_arrivals(file)
    assert len(planned) == count
    assert all(isinstance(arrival.location, Path) and arrival.location.is_file() for arrival in planned)
    return planned


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_common_voice_has_speakers_languages_and_splits(tmp_path: Path) -> None:
    names = "client_id path sentence_id sentence up_votes down_votes age gender accents variant locale segment"
    head = "\t".join(names.split()) + "\n"
    for split, text in (("train", '"Nein", sagte sie, "nie".'), ("test", "=Ja")):
        sound(tmp_path / "clips" / f"common_voice_de_{split}.mp3")
        row = f"c-{split}\tcommon_voice_de_{split}.mp3\ts\t{text}\t2\t0\ttwenties\t\tSchwäbisch\t\tde\t\n"
        write(tmp_path / f"{split}.tsv", head + row)
    train, test = arrivals("common-voice", tmp_path)
    assert (train.path, train.speaker, train.language) == ("clips/common_voice_de_train.mp3", "c-train", "de")
    assert (train.text, train.split, train.dialect) == ('"Nein", sagte sie, "nie".', "train", None)
    assert (train.facts["accents"], test.text, test.split) == ("Schwäbisch", "=Ja", "test")


def test_fleurs_has_texts_as_written(tmp_path: Path) -> None:
    for split in ("dev", "test"):
        sound(tmp_path / "hi_in" / "audio" / split / "11.wav")
        write(tmp_path / "hi_in" / f"{split}.tsv", f'7\t11.wav\t"जी," {split}\tजी\tज ी |\t9600\tFEMALE\n')
    dev, test = arrivals("fleurs", tmp_path)
    assert (dev.path, dev.language, dev.split) == ("hi_in/audio/dev/11.wav", "hi", "dev")
    assert (dev.text, dev.facts, test.split) == ('"जी," dev', {"gender": "female"}, "test")


def test_edacc_has_conversations_with_turns(tmp_path: Path) -> None:
    sound(tmp_path / "data" / "EDACC-C06.wav")
    stm = (
        "EDACC-C06 1 EDACC-C06-A 0.00 0.20 <o,f0> hello there\n"
        "EDACC-C06 1 EDACC-C06-B 0.10 0.30 IGNORE_TIME_SEGMENT_IN_SCORING\n"
        "EDACC-C06 1 EDACC-C06-B 0.30 0.50 yes\n"
    )
    write(tmp_path / "test" / "stm", stm)
    [talk] = arrivals("edacc", tmp_path)
    assert (talk.path, talk.session, talk.language, talk.split) == ("data/EDACC-C06.wav", "EDACC-C06", "en", "test")
    assert [(turn.speaker, turn.start, turn.end, turn.text) for turn in talk.declared] == [
        ("EDACC-C06-A", 0, 200, "hello there"),
        ("EDACC-C06-B", 300, 500, "yes"),
    ]


def test_svarah_is_unpacked_with_its_facts(tmp_path: Path) -> None:
    sounds = [{"bytes": wav(tone(0.1, pitch_hz=pitch)), "path": f"../x/{pitch}.wav"} for pitch in (220.0, 330.0)]
    facts = {"duration": [0.1, 0.1], "text": ["yes", "no"], "age-group": ["18-30", None]}
    (tmp_path / "data").mkdir()
    table = pa.table({"audio_filepath": sounds, **facts, "primary_language": ["Tamil", "Hindi"]})
    pq.write_table(table, tmp_path / "data" / "test-00000-of-00001.parquet")
    first, second = arrivals("svarah", tmp_path)
    assert (first.path, first.language, first.text, first.split) == ("boli-audio/220.0.wav", "en", "yes", "test")
    assert (first.facts, second.facts) == (
        {"age-group": "18-30", "primary_language": "Tamil"},
        {"primary_language": "Hindi"},
    )
    assert arrivals("svarah", tmp_path)[0] == first


def test_coraal_has_interviews_with_turns_of_both_speakers(tmp_path: Path) -> None:
    sound(tmp_path / "ATL" / "ATL_se0_ag1_f_01_1.wav")
    turns = (
        "Line\tSpkr\tStTime\tContent\tEnTime\n"
        "1\tATL_int_01\t0.0\tSo, /RD-NAME-2/, [where] were you born?\t0.2107\n"
        "2\tATL_int_01\t0.2107\t(pause 0.10)\t0.31\n"
        '3\tATL_se0_ag1_f_01\t0.31\tI\'m "from" <laugh> here.\t0.5\n'
        "4\tATL_se0_ag1_f_01\t0.5\t/RD-NAME-3/\t0.55\n"
    )
    write(tmp_path / "ATL" / "ATL_se0_ag1_f_01_1.txt", turns)
    write(tmp_path / "ATL" / "ATL_metadata_2020.05.txt", "CORAAL.File\tGender\nATL_se0_ag1_f_01_1\tFemale\n")
    [talk] = arrivals("coraal", tmp_path)
    assert (talk.path, talk.session, talk.language) == ("ATL/ATL_se0_ag1_f_01_1.wav", "ATL_se0_ag1_f_01_1", "en")
    assert [(turn.speaker, turn.start, turn.end, turn.text) for turn in talk.declared] == [
        ("ATL_int_01", 0, 211, "So, , where were you born?"),
        ("ATL_se0_ag1_f_01", 310, 500, 'I\'m "from" <laugh> here.'),
    ]


def test_a_time_of_coraal_that_is_none_is_refused_by_its_row(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    write(tmp_path / "a.txt", "Line\tSpkr\tStTime\tContent\tEnTime\n1\tA\t0,5\tyes\t1.0\n")
    with pytest.raises(InputError, match=r"E_LAYOUT: a.txt row 2.*0,5"):
        write_manifest("coraal", tmp_path)


def test_kathbath_has_speakers_and_their_gender_from_the_names(tmp_path: Path) -> None:
    for split, name in (("valid", "844424931537866-594-f"), ("test_unknown", "844424931029859-973-m")):
        folder = tmp_path / "data" / "urdu" / split
        sound(folder / f"{name}.m4a") if split == "valid" else sound(folder / "audio" / "973" / f"{name}.wav")
        write(folder / "transcription_n2w.txt", f"{name}.m4a\tیہ {split} ہے\n")
    unknown, valid = arrivals("kathbath", tmp_path)
    assert (valid.path, valid.speaker) == ("data/urdu/valid/844424931537866-594-f.m4a", "kathbath-urdu-594")
    assert (valid.language, valid.text, valid.split, valid.facts) == ("ur", "یہ valid ہے", "dev", {"gender": "female"})
    assert (unknown.path, unknown.split) == ("data/urdu/test_unknown/audio/973/844424931029859-973-m.wav", "test")


def test_a_dataset_of_the_hub_is_unpacked_and_its_columns_are_taken_as_they_are_called(tmp_path: Path) -> None:
    sounds = [{"bytes": wav(tone(0.1, pitch_hz=pitch)), "path": "clip.wav"} for pitch in (220.0, 330.0)]
    columns = {"sentence": ["हाँ", ""], "speaker_id": ["S1", "S2"], "lang": ["hi", "hi"], "district": ["Patna", None]}
    (tmp_path / "hindi").mkdir()
    table = pa.table({"audio": sounds, **columns, "duration": [0.1, 0.1]})
    pq.write_table(table, tmp_path / "hindi" / "validation-00000-of-00001.parquet")
    first, second = arrivals("hugging-face", tmp_path)
    assert first.path == "boli-audio/hindi-validation-00000-of-00001-000001.wav"
    assert (first.text, first.speaker, first.language, first.split) == ("हाँ", "S1", "hi", "dev")
    assert (first.facts["district"], second.speaker, second.split) == ("Patna", "S2", "dev")


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_each_layout_names_its_description_and_refuses_another_folder(tmp_path: Path, name: str) -> None:
    assert "https://" in (LAYOUTS[name].__doc__ or "")
    with pytest.raises(InputError, match=r"E_LAYOUT.*is not laid out as"):
        write_manifest(name, tmp_path)


def test_a_line_that_leads_elsewhere_and_an_unknown_layout_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "hi_in" / "train.tsv", "7\t../../etc/passwd\ttext\ttext\tt |\t9600\tFEMALE\n")
    with pytest.raises(InputError, match=r"E_LAYOUT: train.tsv line 1.*leads elsewhere"):
        write_manifest("fleurs", tmp_path)
    with pytest.raises(UsageError, match="there are common-voice"):
        write_manifest("timit", tmp_path)
