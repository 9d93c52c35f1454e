"""
Check ``sbom.json``, the list of all that boli is made of, and fail where it is older than the locks: for `make check`.

    python -m tests.sbom [--write]

It is a CycloneDX document of the Python packages of ``requirements.lock``, the npm packages of the desk's screen, and
the models of the catalogue, each with its licence and hashes. Checking needs nothing but the files; only ``--write``
asks the installed packages for licences (`make sbom`).
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from transcribe.backends.model_catalogue import catalogue

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "sbom.json"
#: A component as CycloneDX writes it.
Component: TypeAlias = dict[str, Any]

#: What boli may be made of: permissive licences, and those that reach no further than their own library.
ALLOWED: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "PSF-2.0", "Python-2.0", "Zlib"),
        *("LGPL-2.1-or-later", "LGPL-3.0-only", "MPL-2.0"),
        # Of models alone.
        "CC-BY-4.0",
        # Libraries of CUDA that torch asks for; they come from their maker and are no part of boli.
        "LicenseRef-NVIDIA-Proprietary",
    }
)
#: Licences by what packages write where an SPDX expression belongs, in their field or as their classifier.
SPDX: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Apache", "Apache 2.0", "Apache 2.0 License", "Apache Software License"), "Apache-2.0"),
    **dict.fromkeys(("BSD", "BSD License", "3-Clause BSD License", "BSD 3-Clause License"), "BSD-3-Clause"),
    "BSD 2-Clause License": "BSD-2-Clause",
    **dict.fromkeys(("ISC License", "ISC License (ISCL)"), "ISC"),
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "NVIDIA Proprietary Software": "LicenseRef-NVIDIA-Proprietary",
    "Python Software Foundation License": "PSF-2.0",
}
#: Licences that a package states in the text of its licence alone, read there; and those of packages without metadata.
READ: Final[Mapping[str, str]] = {
    **dict.fromkeys(("axe-playwright-python", "praatio", "primepy", "pyannoteai-sdk", "pympi-ling"), "MIT"),
    **dict.fromkeys((f"pyannote-{part}" for part in ("audio", "core", "database", "metrics", "pipeline")), "MIT"),
    **dict.fromkeys(("botocore", "databricks-sdk", "google-auth", "mlflow-skinny", "trove-classifiers"), "Apache-2.0"),
    **dict.fromkeys(("aiobotocore", "importlib-metadata", "nvidia-nvtx"), "Apache-2.0"),
    **dict.fromkeys(("gitdb", "gitpython", "pyasn1-modules", "python-dotenv", "s3fs", "smmap"), "BSD-3-Clause"),
    **dict.fromkeys(("sqlparse", "torchcodec"), "BSD-3-Clause"),
    **dict.fromkeys(("pyasn1", "wrapt"), "BSD-2-Clause"),
    **dict.fromkeys(("aioitertools", "cachetools", "hatchling", "jmespath", "meeteval", "zipp"), "MIT"),
    **dict.fromkeys(("cuda-toolkit", "nvidia-cublas-cu12"), "LicenseRef-NVIDIA-Proprietary"),
    "cryptography": "Apache-2.0 OR BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "uvloop": "Apache-2.0 AND MIT",
}
PINNED: Final = re.compile(r"^([a-z0-9._-]+)==([^ \\;]+)[^\n]*\n((?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n)*)", re.M)


def make_document(root: Path, licences: Mapping[str, str]) -> dict[str, Any]:
    """
    Make the whole document of the files in *root*, the same for the same files.

    Args:
        licences: SPDX expressions by package URL.
    """
    components = [*list_python(root), *list_npm(root), *list_models()]
    for component in components:
        licence = component.pop("licence", None) or licences.get(component["bom-ref"])
        component["licenses"] = [{"expression": licence}] if licence else []
    main = {"type": "application", "name": "boli", "bom-ref": "boli", "licenses": [{"expression": "Apache-2.0"}]}
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": main}}
    return head | {"components": sorted(components, key=lambda component: str(component["bom-ref"]))}


def list_python(root: Path) -> Iterator[Component]:
    """Yield the packages of ``requirements.lock`` in *root*."""
    for name, version, hashes in PINNED.findall((root / "requirements.lock").read_text(encoding="utf-8")):
        digests = re.findall(r"sha256:([0-9a-f]{64})", hashes)
        yield _make_package(f"pkg:pypi/{name}@{version}", name, version, [("SHA-256", digest) for digest in digests])


def list_npm(root: Path) -> Iterator[Component]:
    """Yield the packages of ``editor/package-lock.json`` in *root*; some are there in several versions."""
    lock = json.loads((root / "editor" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {}
    for path, facts in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if name:
            reference = f"pkg:npm/{name.replace('@', '%40')}@{facts['version']}"
            digest = base64.b64decode(facts["integrity"].removeprefix("sha512-")).hex()
            licence = facts["license"].strip("()")
            packages[reference] = _make_package(reference, name, facts["version"], [("SHA-512", digest)], licence)
    yield from packages.values()


def list_models() -> Iterator[Component]:
    """Yield the models of the catalogue with their files."""
    for entry in catalogue():
        version = (entry.hub.revision if entry.hub else None) or ", ".join(entry.requirements) or "unverified"
        files = [
            {"type": "file", "name": file.name, "hashes": [{"alg": "SHA-256", "content": file.sha256}]}
            for file in entry.files
        ]
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{entry.name}",
            "name": entry.name,
            "version": version,
            "licence": entry.licence.replace(" and ", " AND "),
            "components": files,
        }


def _make_package(
    reference: str, name: str, version: str, hashes: list[tuple[str, str]], licence: str | None = None
) -> Component:
    return {
        "type": "library",
        "bom-ref": reference,
        "purl": reference,
        "name": name,
        "version": version,
        "licence": licence,
        "hashes": [{"alg": algorithm, "content": digest} for algorithm, digest in hashes],
    }


def read_licences(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the licences that *document* states, by reference."""
    return {
        component["bom-ref"]: component["licenses"][0]["expression"]
        for component in document["components"]
        if component["licenses"]
    }


def ask_licences() -> Iterator[tuple[str, str]]:
    """Yield the licence of each installed package by its URL, as far as it states one."""
    for package in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        stated = [package.metadata.get("License-Expression"), READ.get(name)]
        classifiers = [text.rpartition(" :: ")[2] for text in package.metadata.get_all("Classifier") or []]
        written = package.metadata.get("License") or ""
        stated += [SPDX.get(written), *map(SPDX.get, classifiers), written if written in ALLOWED else None]
        if licence := next(filter(None, stated), None):
            yield f"pkg:pypi/{name}@{package.version}", licence


def find_faults(document: Mapping[str, Any]) -> list[str]:
    """Name each component of *document* without a hash or with a licence that is not allowed, in a sentence."""
    faults = []
    for component in document["components"]:
        reference, licences = component["bom-ref"], component["licenses"]
        names = re.findall(r"[\w.-]+", licences[0]["expression"]) if licences else ["no licence"]
        refused = sorted({name for name in names if name not in ALLOWED | {"AND", "OR"}})
        if refused:
            faults.append(f"{reference} has {', '.join(refused)}, which ALLOWED in tests/sbom.py does not list")
        if component["type"] == "library" and not component["hashes"]:
            faults.append(f"{reference} has no hash in its lock")
    return faults


def format_document(document: Mapping[str, Any]) -> str:
    """Return the text of *document*, a component a line."""
    head = json.dumps({**document, "components": []}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(component, ensure_ascii=False) for component in document["components"])
    return f"{head.removesuffix(']}')}\n{lines}\n]}}\n"


def write_document(root: Path, file: Path) -> dict[str, Any]:
    """Write *file* anew, licences from what is installed, from what was read, and from *file* before; return it."""
    licences = read_licences(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
    licences |= {package["bom-ref"]: READ[package["name"]] for package in list_python(root) if package["name"] in READ}
    document = make_document(root, licences | dict(ask_licences()))
    file.write_text(format_document(document), encoding="utf-8")
    return document


def main(arguments: list[str]) -> int:
    """Check the document, or write it; return the exit code."""
    if "--write" in arguments:
        write_document(ROOT, FILE)
    document = json.loads(FILE.read_text(encoding="utf-8"))
    faults = find_faults(document)
    if make_document(ROOT, read_licences(document)) != document:
        faults.append("sbom.json is older than requirements.lock, package-lock.json or models.toml; run make sbom")
    print("\n".join(faults) or f"sbom.json: {len(document['components'])} components, their licences allowed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
