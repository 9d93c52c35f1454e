"""The screen, as it was built: files whose names hold their hash are kept for a year, the page is asked for anew."""

from __future__ import annotations

import secrets
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from transcribe.desk import how_to_build
from transcribe.desk.auth import ServiceOf
from transcribe.desk.middleware import Refused, policy
from transcribe.desk.state import Service

router = APIRouter(include_in_schema=False)

#: The answer where the screen was not built.
NOT_BUILT = (
    "The desk is open, and its screen was not built into this installation.\n"
    "`{command}` brings it. The API answers at /api/v1.\n"
)
#: In the page, where the waveform looks for the word that lets its style sheet in.
_NONCE = "__BOLI_NONCE__"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".html": "text/html",
    ".txt": "text/plain",
}


#: Of a part of the page. The page's own policy holds for it; as a page by itself it may do nothing, in few bytes.
_PART = {"cache-control": "public, max-age=31536000, immutable", "content-security-policy": "default-src 'none'"}


@router.get("/{path:path}")
async def screen(path: str, request: Request, service: ServiceOf) -> Response:
    """Send a file of the screen; the page itself for every address that is none."""
    if path.startswith("api/"):
        raise Refused(404, "E_ROUTE", "the API has no such address", hint="/api/v1/openapi.json lists them")
    file = _list_files(service).get(path)
    if file is not None and path != "index.html":
        headers = _PART if path.startswith("assets/") else {"cache-control": "no-cache"}
        return FileResponse(file, media_type=_TYPES[file.suffix], headers=headers)
    page = service.screen / "index.html"
    if not page.is_file():
        return PlainTextResponse(NOT_BUILT.format(command=how_to_build()), status_code=503)
    if "." in path.rsplit("/", 1)[-1] and path != "index.html":
        return PlainTextResponse("there is no such file\n", status_code=404)
    nonce = secrets.token_urlsafe(16)
    body = page.read_text(encoding="utf-8").replace(_NONCE, nonce)
    headers = {"cache-control": "no-cache", "content-security-policy": policy(nonce)}
    return Response(body, media_type="text/html", headers=headers)


def _list_files(service: Service) -> dict[str, Path]:
    """Map each file of the screen by its address: no other can be asked for. A screen built anew is noticed."""
    folder = service.screen
    page = folder / "index.html"
    built = page.stat().st_mtime_ns if page.is_file() else 0
    built_before: int | None
    files: dict[str, Path]
    built_before, files = service.__dict__.get("_screen_files", (None, {}))
    if built_before != built:
        files = {
            file.relative_to(folder).as_posix(): file
            for file in (folder.rglob("*") if built else ())
            if file.is_file() and not file.is_symlink() and file.suffix in _TYPES
        }
        service.__dict__["_screen_files"] = (built, files)
    return files
