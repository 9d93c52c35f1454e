"""`boli help`: the same as `--help`, by the words of a command."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Run


@pytest.mark.parametrize("words", [(), ("wer",), ("people",), ("people", "add"), ("help",)])
def test_the_help_of_a_command_is_what_its_option_shows(run: Run, words: tuple[str, ...]) -> None:
    shown = run("help", *words)
    assert shown.code == 0
    assert shown.out.strip() == run(*words, "--help").out.strip()


def test_scripts_get_the_help_in_a_document(run: Run) -> None:
    document = run("help", "people", "add", "--json").document
    assert (document["schema"], document["data"]["command"]) == ("boli.help/1", "boli people add")


@pytest.mark.parametrize(("words", "nearest"), [(("peple",), "people"), (("people", "ad"), "add")])
def test_an_unknown_command_is_refused_with_the_nearest(run: Run, words: tuple[str, ...], nearest: str) -> None:
    refused = run("help", *words)
    assert refused.code == 2
    assert f"nearest {nearest}" in refused.err
