"""
Write the facts of a received sound beside it, with the hash of its file and one of their own, and check both.

Sounds from before there were hashes are decoded and held against the MD5 of the samples that FLAC itself carries.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from transcribe.audio.temporary_files import part

#: Facts that were written before there were hashes. A flipped bit in the name of a hash must not pass for such.
_UNSEALED: Final = frozenset(
    {"duration", "rate_hz", "channels", "codec", "demuxer", "warnings", "quality", "mode", "stream", "bytes"}
)
_SOUND: Final = "sha256"
_SEAL: Final = "facts_sha256"
#: Where FLAC has the MD5 of the samples: https://www.rfc-editor.org/rfc/rfc9639, section 8.2.
_MD5: Final = slice(26, 42)
_BLOCK: Final = 160_000


def write_facts(file: Path, facts: Mapping[str, Any]) -> None:
    """Write the *facts* of the sound *file* beside it, with the hash of the file as it is now."""
    with file.open("rb") as sound:
        named = {**facts, _SOUND: hashlib.file_digest(sound, "sha256").hexdigest()}
    with part(file.with_suffix(".json")) as (descriptor, keep):
        os.write(descriptor, _seal(named))
        os.fsync(descriptor)
        keep()


def renew_facts(file: Path) -> None:
    """Write the facts of a sound anew after its samples were changed on purpose; remove those of one that is gone."""
    facts = file.with_suffix(".json")
    if not file.exists():
        facts.unlink(missing_ok=True)
    elif facts.exists():
        write_facts(file, json.loads(facts.read_bytes()))


def find_fault(file: Path) -> str | None:
    """Return what is wrong with a received sound or the facts beside it; ``None`` if both are as they were written."""
    try:
        raw = file.with_suffix(".json").read_bytes()
        facts = json.loads(raw)
        is_sealed = not facts.keys() <= _UNSEALED
        if is_sealed and _seal(facts) != raw:
            return "the facts beside it are not what was written"
    except (OSError, ValueError, AttributeError):
        return "the facts beside it cannot be read"
    if not file.exists():
        # An erasure left the facts of a sound, as long as they had no hash.
        return "is gone" if is_sealed else None
    try:
        is_same = _has_hash(file, facts[_SOUND]) if is_sealed else _has_own_md5(file)
    except (OSError, RuntimeError):
        return "cannot be decoded"
    return None if is_same else "is not what was taken in"


def _seal(facts: Mapping[str, Any]) -> bytes:
    """Encode *facts* with the hash of all the rest, whatever hash they had."""
    bare = {name: fact for name, fact in facts.items() if name != _SEAL}
    seal = hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()
    return json.dumps({**bare, _SEAL: seal}, sort_keys=True).encode()


def _has_hash(file: Path, sha256: str) -> bool:
    with file.open("rb") as sound:
        return hashlib.file_digest(sound, "sha256").hexdigest() == sha256


def _has_own_md5(file: Path) -> bool:
    import soundfile

    digest = hashlib.md5(usedforsecurity=False)
    with soundfile.SoundFile(file) as sound:
        for block in sound.blocks(_BLOCK, dtype="int16", always_2d=True):
            digest.update(block.astype("<i2").tobytes())
    with file.open("rb") as raw:
        return raw.read(_MD5.stop)[_MD5] == digest.digest()
