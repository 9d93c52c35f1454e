"""Settings: which layer wins, what is refused and in what words, and that the files in configs/ keep their word."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from transcribe.config import (
    FILE_NAME,
    Settings,
    TrainSettings,
    find_workspace,
    fingerprint,
    flatten,
    layers,
    load,
    origins,
)
from transcribe.errors import ConfigError

CONFIGS = Path(__file__).resolve().parent.parent / "configs"

#: No variable of the machine that runs the tests may reach a setting.
NOTHING: dict[str, str] = {}


def written(folder: Path, text: str, name: str = FILE_NAME) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def of_environment(**variables: str) -> Settings:
    return load(environment=variables)


def test_without_any_source_the_defaults_hold() -> None:
    assert load(environment=NOTHING) == Settings()


def test_nothing_is_downloaded_unless_somebody_says_so() -> None:
    assert load(environment=NOTHING).models.allow_download is False


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    user = written(
        tmp_path, '[recogniser]\ndevice = "cpu"\nbeam_size = 1\nbatch_size = 1\ncompute_type = "int8"', "user.toml"
    )
    file = written(tmp_path, "[recogniser]\nbeam_size = 2\nbatch_size = 2\nthreads = 2")
    environment = {"BOLI_RECOGNISER__BATCH_SIZE": "3", "BOLI_RECOGNISER__THREADS": "3"}
    settings = load(file, {"recogniser.threads": 4}, environment=environment, user_file=user).recogniser
    assert (settings.compute_type, settings.beam_size, settings.batch_size, settings.threads) == ("int8", 2, 3, 4)


def test_an_option_that_was_not_given_changes_nothing() -> None:
    assert load(overrides={"recogniser.device": None}, environment=NOTHING) == Settings()


def test_a_user_file_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert load(user_file=tmp_path / "none.toml", environment=NOTHING) == Settings()


def test_a_workspace_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml", environment=NOTHING)


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("BOLI_RECOGNISER__BEAM_SIZE", "7", 7),
        ("BOLI_RECOGNISER__SECOND_PASS", "true", True),
        ("BOLI_RECOGNISER__MODEL", "large-v3", "large-v3"),
        ("BOLI_RECOGNISER__MODEL", "models/a b", "models/a b"),
        ("BOLI_INGEST__LONGEST_HOURS", "0.5", 0.5),
        ("BOLI_INGEST__ALLOW_ROOTS", '["/mnt/a", "s3://b"]', ("/mnt/a", "s3://b")),
        ("BOLI_STORE__URL", "postgresql://h/db?sslmode=require", "postgresql://h/db?sslmode=require"),
    ],
)
def test_the_environment_sets_values_of_every_type(variable: str, text: str, expected: object) -> None:
    settings = load(environment={variable: text})
    assert flatten(settings.model_dump())[variable.removeprefix("BOLI_").lower().replace("__", ".")] == expected


@pytest.mark.parametrize("text", ["5", "2024-01-01", "true", "nan"])
def test_text_that_looks_like_something_else_stays_text_where_text_is_asked_for(text: str) -> None:
    assert of_environment(BOLI_RECOGNISER__MODEL=text).recogniser.model == text


def test_variables_that_are_no_settings_are_let_be() -> None:
    assert of_environment(BOLI_WORKSPACE="/w", BOLI_TEST_DATA="/d", HOME="/h", BOLIVIA="1") == Settings()


def test_a_misspelt_key_is_refused_naming_the_nearest_and_its_file(tmp_path: Path) -> None:
    file = written(tmp_path, "[recogniser]\nbeam_sise = 5")
    with pytest.raises(ConfigError) as caught:
        load(file, environment=NOTHING)
    assert caught.value.item == "recogniser.beam_sise"
    assert str(file) in caught.value.message
    assert caught.value.hint == "did you mean recogniser.beam_size?"


def test_a_misspelt_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recognizer.*did you mean recogniser"):
        load(written(tmp_path, "[recognizer]\nbeam_size = 5"), environment=NOTHING)


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"recogniser\.devise in environment"):
        of_environment(BOLI_RECOGNISER__DEVISE="cpu")


def test_a_value_and_a_section_at_the_same_place_are_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="recogniser"):
        of_environment(BOLI_RECOGNISER="cpu", BOLI_RECOGNISER__DEVICE="cpu")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recogniser.device", "tpu"),
        ("recogniser.beam_size", 0),
        ("recogniser.window_ms", 30_001),
        ("ingest.longest_hours", 0),
        ("ingest.test_share", 1.5),
        ("report.confidence", 1.0),
        ("report.confidence", float("nan")),
        ("segmenting.longest_ms", 60_000),
        ("models.allow_download", "perhaps"),
        ("store", "sqlite:///x.db"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_key_and_origin(key: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load(overrides={key: value}, environment=NOTHING)
    assert caught.value.exit_code == 3
    assert f"{key} in command line" in caught.value.message


def test_the_last_source_that_set_a_wrong_value_is_blamed(tmp_path: Path) -> None:
    file = written(tmp_path, "[recogniser]\nbeam_size = 5")
    with pytest.raises(ConfigError, match="beam_size in environment"):
        load(file, environment={"BOLI_RECOGNISER__BEAM_SIZE": "0"})


@pytest.mark.parametrize("content", [b"[recogniser", b"a = 1\na = 2", b"\xff\xfe", b"x = " + b"[" * 5_000])
def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, environment=NOTHING)
    assert caught.value.item == str(file)


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"\xef\xbb\xbf[recogniser]\nbeam_size = 2")
    assert load(file, environment=NOTHING).recogniser.beam_size == 2


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().recogniser.beam_size = 1  # type: ignore[misc]


def test_each_value_is_traced_to_where_it_came_from(tmp_path: Path) -> None:
    file = written(tmp_path, "[recogniser]\nbeam_size = 2\nthreads = 2")
    sources = layers(file, {"models.allow_download": True}, environment={"BOLI_RECOGNISER__THREADS": "3"})
    origin_by_key = {key: (value, origin) for key, value, origin in origins(sources)}
    assert origin_by_key["recogniser.beam_size"] == (2, str(file))
    assert origin_by_key["recogniser.threads"] == (3, "environment")
    assert origin_by_key["models.allow_download"] == (True, "command line")
    assert origin_by_key["recogniser.device"] == ("auto", "default")
    assert set(origin_by_key) == set(flatten(Settings().model_dump()))


def test_the_workspace_is_the_one_that_was_named(tmp_path: Path) -> None:
    written(tmp_path, "")
    assert find_workspace(tmp_path, NOTHING) == tmp_path.resolve()
    assert find_workspace(None, {"BOLI_WORKSPACE": str(tmp_path)}) == tmp_path.resolve()


def test_the_option_wins_over_the_variable(tmp_path: Path) -> None:
    written(tmp_path, "")
    assert find_workspace(tmp_path, {"BOLI_WORKSPACE": "/nowhere"}) == tmp_path.resolve()


def test_the_workspace_is_found_from_a_folder_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "")
    inside = tmp_path / "audio" / "deep"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert find_workspace(None, NOTHING).samefile(tmp_path)


def test_outside_a_workspace_the_way_to_make_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="boli init"):
        find_workspace(None, NOTHING)
    with pytest.raises(ConfigError, match=f"boli init {re.escape(str(tmp_path))}"):
        find_workspace(tmp_path, NOTHING)


def test_a_fingerprint_follows_from_values_alone() -> None:
    same = load(overrides={"recogniser.beam_size": 5}, environment=NOTHING)
    other = load(overrides={"recogniser.beam_size": 6}, environment=NOTHING)
    assert fingerprint(Settings(), "model") == fingerprint(same, "model")
    assert fingerprint(Settings(), "model") != fingerprint(other, "model")
    assert fingerprint("a", "bc") != fingerprint("ab", "c")


LEAVES = st.one_of(st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2))
NAMES = st.text("abc", min_size=1, max_size=3)


@given(st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=8))
def test_flattening_keeps_every_value(tree: Any) -> None:
    def count(node: Any) -> int:
        return sum(map(count, node.values())) if isinstance(node, dict) else 1

    if isinstance(tree, dict):
        flat = flatten(tree)
        assert len(flat) == count(tree)
        assert not any(isinstance(value, dict) for value in flat.values())


def keys_shown_in(text: str) -> set[str]:
    """Dotted keys of a TOML text, those of lines that are commented out included."""
    section, keys = "", set()
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif match := re.match(r"(?:# )?(\w+) = ", line):
            keys.add(f"{section}.{match[1]}")
    return keys


def test_the_default_file_shows_every_setting_with_its_default() -> None:
    file = CONFIGS / "default.toml"
    assert load(file, environment=NOTHING) == Settings()
    defaults = flatten(Settings().model_dump())
    assert keys_shown_in(file.read_text(encoding="utf-8")) == set(defaults)
    set_in_file = flatten(tomllib.loads(file.read_text(encoding="utf-8")))
    assert set(set_in_file) == {key for key, value in defaults.items() if value is not None}


def test_each_setting_of_the_default_file_has_a_comment_above_it() -> None:
    lines = (CONFIGS / "default.toml").read_text(encoding="utf-8").splitlines()
    bare = [line for previous, line in pairwise(lines) if re.match(r"\w+ = ", line) and not previous.startswith("# ")]
    assert bare == []


@pytest.mark.parametrize("name", ["gpu.toml", "cluster.toml", "train.toml"])
def test_the_other_files_load(name: str) -> None:
    assert load(CONFIGS / name, environment=NOTHING) != Settings()


def test_no_file_holds_a_password() -> None:
    for file in CONFIGS.glob("*.toml"):
        assert not re.search(r"^[^#]*://[^/\s]*:[^/\s]*@", file.read_text(encoding="utf-8"), re.MULTILINE), file.name


@pytest.mark.parametrize(
    ("width", "device", "expected"),
    [
        (112, "cpu", ("full", 6e-4, 10_000)),
        (512, "cpu", ("full", 6.1e-5, 10_000)),
        (1_280, "cpu", ("lora", 5e-4, 10_000)),
        (1_280, "cuda", ("lora", 5e-4, None)),
    ],
)
def test_what_is_left_open_of_training_is_decided_by_model_and_machine(
    width: int, device: Literal["cpu", "cuda"], expected: tuple[str, float, int | None]
) -> None:
    decided = TrainSettings().resolved(width, device)

    assert (decided.method, pytest.approx(decided.rate, rel=0.01), decided.window_ms) == expected
    assert decided.resolved(width, device) == decided


def test_what_is_set_of_training_stays() -> None:
    settings = TrainSettings(method="lora", rate=0.1, steps=7, window_ms=9_000)

    assert settings.resolved(512, "cpu") == settings
