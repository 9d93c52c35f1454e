"""Plan what is taken in: named files and folders, or the rows of a manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from transcribe.errors import Failure, InputError
from transcribe.ingest.arrivals import Arrival
from transcribe.ingest.cells import read_facts
from transcribe.ingest.manifest import Manifest, SplitOf
from transcribe.ingest.places import Roots, readable, walk
from transcribe.ingest.splits import Links, names_of


def plan(
    paths: Sequence[Path] = (),
    *,
    manifest: Path | None = None,
    root: Path | str | None = None,
    allow_roots: Sequence[str] = (),
    defaults: Mapping[str, str] | None = None,
    split_of: SplitOf = lambda speakers, session: None,
) -> Iterator[Arrival | Failure]:
    """
    Yield the files to take in, one at a time: those of *paths* in their order, then those of *manifest*.

    What cannot be used comes as a failure in its place, and the rest goes on.

    Args:
        paths: Files, or folders that are searched for media.
        manifest: CSV, JSONL or Parquet with a column ``path``.
        root: What the manifest's paths are relative to; default is its folder. May be the URL of an object store.
        allow_roots: Other folders and URLs that the manifest may name.
        defaults: Facts for rows and files that have none of their own, by column.
        split_of: ``Store.split_of``: keeps people in the split that they are in.

    Raises:
        InputError: A path that is not there; a manifest that cannot be read (E_MANIFEST, E_JSON) or that puts one
            speaker into two splits (E_SPLIT).
    """
    for path in paths:
        if not path.is_symlink() and not path.exists():
            raise InputError(
                f"{readable(path)} is not there", code="E_NOT_FOUND", hint="check the path", item=str(path)
            )
    yield from _plan_files(paths, defaults or {}, split_of)
    if manifest is not None:
        named_roots = [*([] if root is None else [root]), *allow_roots]
        roots = Roots(manifest.parent if root is None else root, named_roots)
        yield from Manifest(manifest, roots=roots, split_of=split_of, defaults=defaults).arrivals()


def _plan_files(paths: Sequence[Path], defaults: Mapping[str, str], split_of: SplitOf) -> Iterator[Arrival | Failure]:
    def fault(column: str, what: str, hint: str) -> InputError:
        return InputError(f"{column} for all files: {what}", code="E_FACT", hint=hint, item=column)

    shared_facts = read_facts(defaults, fault)
    speakers = [shared_facts["speaker"]] if shared_facts["speaker"] else []
    links = Links()
    links.add("", names_of(speakers, shared_facts["session"]), line=1)
    group = links.groups().of(names_of(speakers, shared_facts["session"]))
    if group is not None:
        shared_facts["split"] = split_of(speakers, shared_facts["session"]) or shared_facts["split"]
    for path in paths:
        for file in walk(path) if path.is_dir() else (path,):
            if isinstance(file, Failure):
                yield file
            else:
                location = file.resolve() if file != path and file.is_symlink() else file
                yield Arrival(
                    location=location, path=readable(file), group=group.key if group else None, **shared_facts
                )
