from __future__ import annotations

import subprocess
import sys

from transcribe.store import Store
from transcribe.store.store import Part


def test_each_part_is_built_once_on_the_one_database_and_is_named_as_its_module_says(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store:
        names = [name for name, part in vars(Store).items() if isinstance(part, Part)]
        assert len(names) > 20
        for name in names:
            part = getattr(store, name)
            assert part is getattr(store, name)
            assert part.database is store.database
            assert Store.__annotations__[name] == f"Part[{type(part).__name__}]"
            assert type(part).__module__ == f"transcribe.store.{name}"


def test_a_part_that_nobody_asks_for_is_not_imported(sqlite_url: str) -> None:
    script = f"""
import sys
from transcribe.store import Store
with Store.open({sqlite_url!r}) as store:
    store.status.count()
parts = ("desk", "submissions", "reviews", "people", "leases", "corrections")
print([name for name in parts if f"transcribe.store.{{name}}" in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
