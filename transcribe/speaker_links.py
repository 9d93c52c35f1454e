"""
Links between speakers that a person has said to be one: the groups that they make, and contradictions among them.

The diariser's labels are local to a recording: a person who was not declared is ``<recording>/<label>`` in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from transcribe.records import SpeakerLink

#: A speaker that nobody declared: the recording's id, then what the diariser called the voice there.
_UNNAMED = re.compile(r"([0-9a-f]{64})/.+")


def recording_of_unnamed(speaker: str) -> str | None:
    """
    Return the id of the recording in which the diariser found *speaker*; ``None`` for a name that somebody declared.

    >>> recording_of_unnamed("asha") is None
    True
    >>> recording_of_unnamed("0" * 64 + "/SPEAKER_00") == "0" * 64
    True
    """
    match = _UNNAMED.fullmatch(speaker)
    return match.group(1) if match else None


def group_speakers(links: Iterable[SpeakerLink]) -> dict[str, frozenset[str]]:
    """Group all speakers that accepted *links* make one person, by each of their names."""
    groups: dict[str, frozenset[str]] = {}
    for link in links:
        if link.accepted:
            group = frozenset({link.first, link.second}).union(groups.get(link.first, ()), groups.get(link.second, ()))
            groups.update(dict.fromkeys(group, group))
    return groups


def canonical_names(links: Iterable[SpeakerLink]) -> dict[str, str]:
    """
    Map each speaker in accepted *links* to one name: the smallest declared one of the group, else the smallest.

    >>> link = SpeakerLink(first="0" * 64 + "/SPEAKER_00", second="asha", accepted=True, by=None, at="")
    >>> set(canonical_names([link]).values())
    {'asha'}
    """
    groups = group_speakers(links)
    names = {group: min(group, key=_unnamed_last) for group in set(groups.values())}
    return {speaker: names[group] for speaker, group in groups.items()}


def find_contradiction(links: Iterable[SpeakerLink]) -> SpeakerLink | None:
    """Return the first refused link of two speakers that accepted links make one person; ``None`` if all agree."""
    all_links = list(links)
    names = canonical_names(all_links)
    return next((link for link in all_links if not link.accepted and _is_joined(link, names)), None)


def _is_joined(link: SpeakerLink, names: Mapping[str, str]) -> bool:
    return link.first in names and names[link.first] == names.get(link.second)


def _unnamed_last(speaker: str) -> tuple[bool, str]:
    return recording_of_unnamed(speaker) is not None, speaker
