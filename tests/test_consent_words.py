"""What is written of consent, in words of manifests; what refuses is never taken for consent."""

from __future__ import annotations

import pytest

from transcribe.consent_words import find_withheld, read_consent

#: Between bars, as people write them.
WITHDRAWN = (
    "withdrawn | Withdrawn. | withdrawn 2026-05-03 | consent withdrawn | withdrew | revoked | Retracted | "
    "opt-out | opted out on 3 May | OPT OUT | widerrufen | Einwilligung widerrufen am 3.5. | révoqué | revoqué | "
    "retirado | वापस लिया"
)
REFUSED = (
    "refused | Refuse | declined | denied | rejected | not given | NOT GIVEN YET | no | No! | NO  | n | 0 | "
    "false | False | none | nein | Nein. | nicht erteilt | verweigert | keine Einwilligung | no consent | "
    "not ok | without consent | does not agree | did not sign | नहीं | नहीं। | इनकार | மறுப்பு | ഇല്ല | "
    "نہیں | no (2026-05-03) | non | refusé | rechazado"
)
GIVEN = (
    "given | yes | form 7 | 0042 | 12 | form no. 7 | true | 1 | signed 2026-05-03 | no objection | oral | "
    "non-commercial use | no commercial use | broad | हाँ | public | Dennis signed | CC0 | "
    "retired teacher, form 3 | noted | nonprofit | Notre Dame form 4 | agreed"
)


@pytest.mark.parametrize("written", WITHDRAWN.split(" | "))
def test_what_is_taken_back_withholds(written: str) -> None:
    assert read_consent(written) == find_withheld(written) == "withdrawn"


@pytest.mark.parametrize("written", REFUSED.split(" | "))
def test_what_refuses_in_any_words_withholds(written: str) -> None:
    assert read_consent(written) == find_withheld(written) == "refused"


@pytest.mark.parametrize("written", GIVEN.split(" | "))
def test_a_word_of_the_projects_own_gives(written: str) -> None:
    assert read_consent(written) == "given"
    assert find_withheld(written) is None


@pytest.mark.parametrize("written", [None, "", "  ", "unknown", "n/a", "pending", "?"])
def test_what_says_nothing_is_unknown(written: str | None) -> None:
    assert read_consent(written) == "unknown"


def test_a_project_has_refusing_words_of_its_own() -> None:
    assert [find_withheld(word, {"rot"}) for word in ("rot", "Rot.", "grün")] == ["refused", "refused", None]
