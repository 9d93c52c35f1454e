"""
Count the cores that networks share, and load the CUDA libraries that CTranslate2 opens by name, before its first call.

CTranslate2's wheel opens ``libcublas.so.12`` and nothing else. torch 2.11 brings CUDA 13, so the library comes from
its own package (the ``gpu`` extra) and is not on the loader's path: loading it by its full name first is enough.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
from pathlib import Path

#: In this order. ``libnvrtc.so.13`` first keeps torchcodec alive where a CUDA 12 nvrtc is installed too.
WANTED = (
    ("cu13/lib", "libnvrtc.so.13"),
    ("cublas/lib", "libcublasLt.so.12"),
    ("cublas/lib", "libcublas.so.12"),
)


def count_cores() -> int:
    """Count the cores that this process may use; fewer where the caller's OMP_NUM_THREADS says so."""
    thread_limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(thread_limit)) if thread_limit.isdigit() else len(os.sched_getaffinity(0))


def preload_cublas() -> tuple[Path, ...]:
    """Load what is installed of *WANTED*, and return the loaded files; none on a machine without the extra."""
    spec = importlib.util.find_spec("nvidia")
    roots = (spec.submodule_search_locations or ()) if spec else ()
    libraries = tuple(file for root in roots for folder, name in WANTED if (file := Path(root, folder, name)).exists())
    if not any(file.name == "libcublas.so.12" for file in libraries):
        return ()
    for file in libraries:
        ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
    return libraries
