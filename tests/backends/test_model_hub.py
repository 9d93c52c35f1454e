"""Models of the hub: they are kept whole, with their commit and checksums, and without pickles."""

from __future__ import annotations

import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.checkpoints import write_checkpoint
from transcribe import embedded
from transcribe.backends.identity import folder_id
from transcribe.backends.model_cache import (
    is_here,
    verify_folder,
)
from transcribe.backends.model_catalogue import (
    CatalogueEntry,
    HubSource,
    need_entry,
)
from transcribe.backends.model_fetch import fetch
from transcribe.backends.model_manifest import read_manifest
from transcribe.errors import MissingError, UnreachableError
from transcribe.records import ModelKind

pytestmark = pytest.mark.usefixtures("cache")


def test_a_hub_out_of_reach_ends_with_9(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError):
        fetch(need_entry("large-v3"))


class Hub(http.server.BaseHTTPRequestHandler):
    """A model hub with one commit of one repository, the embedded Whisper or a diariser with a pickle."""

    commit = "b" * 40
    folder = embedded.whisper()

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/"):
            self.answer(json.dumps({"id": "owner/name", "sha": self.commit}).encode(), "application/json")
            return
        _, _, name = self.path.partition(f"/resolve/{self.commit}/")
        file = self.folder / name
        if not name or not file.is_file():
            self.refuse()
            return
        self.answer(file.read_bytes(), "application/octet-stream")

    def do_HEAD(self) -> None:
        self.do_GET()

    def refuse(self) -> None:
        """Answer as the hub does for a repository whose conditions were not accepted."""
        self.send_response(403)
        self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        headers = {"Content-Type": kind, "X-Repo-Commit": self.commit, "ETag": hashlib.sha256(content).hexdigest()}
        for header, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """A hub on this machine, which the hub's own client talks to."""
    from huggingface_hub import constants

    handler = type("OneHub", (Hub,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        yield handler
        server.shutdown()


def hub_entry(kind: ModelKind, folder: Path, revision: str | None) -> CatalogueEntry:
    names = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
    source = HubSource(id="owner/name", files=names, revision=revision)
    return CatalogueEntry(name="owner/name", kind=kind, licence="MIT", languages="none", hub=source)


@pytest.mark.parametrize("revision", [None, "b" * 40])
def test_a_model_of_the_hub_is_kept_with_its_commit_and_checksums(hub: type[Hub], revision: str | None) -> None:
    entry = hub_entry("recogniser", hub.folder, revision)
    fetched = fetch(entry)
    assert folder_id(fetched.folder) == folder_id(hub.folder)
    manifest = read_manifest(fetched.folder)
    assert manifest["source"]["revision"] == hub.commit
    assert set(manifest["files"]) == set(entry.hub.files if entry.hub else ())
    assert verify_folder(entry) == fetched.folder


def test_a_pickle_of_the_hub_becomes_safetensors_before_it_is_kept(hub: type[Hub], tmp_path: Path) -> None:
    pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")
    from transcribe.backends.checkpoint import load_network

    folder = tmp_path / "repository"
    shutil.copytree(embedded.diariser(), folder)
    network = load_network(folder / "embedding")
    for name in ("model.json", "model.safetensors"):
        (folder / "embedding" / name).unlink()
    write_checkpoint(network, folder / "embedding" / "pytorch_model.bin")
    hub.folder = folder
    fetched = fetch(hub_entry("diariser", folder, hub.commit))
    names = {file.name for file in (fetched.folder / "embedding").iterdir()}
    assert names == {"model.json", "model.safetensors"}
    assert "embedding/pytorch_model.bin" in read_manifest(fetched.folder)["source"]["fetched"]


def test_a_file_that_the_hub_does_not_give_leaves_nothing(hub: type[Hub]) -> None:
    entry = hub_entry("recogniser", hub.folder, "c" * 40)
    with pytest.raises(MissingError, match="accept its conditions"):
        fetch(entry)
    assert not is_here(entry)
