"""What a result can depend on besides spec, inputs and the engine's own code."""

import hashlib
import os
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

from engine import ENGINE_VERSION
from engine.folder import Json

PACKAGES = (
    "duckdb",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pillow",
    "protobuf",
    "scikit-learn",
    "scipy",
    "skl2onnx",
    "skops",
    "threadpoolctl",
)
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "PYTHONHASHSEED",
)
# Files of a distribution that differ between two installations of the same release.
_OF_THE_PLACE = re.compile(
    r"\.pyc$|^\.\./|\.dist-info/(INSTALLER|REQUESTED|RECORD|direct_url\.json)$"
)
_CPU_FIELDS = {"model name": "model", "flags": "flags", "Features": "flags"}


def environment(threads: int) -> Json:
    """Describe machine, system, Python, libraries and packages of this process.

    Args:
        threads: what the spec allows the numerical libraries.

    Returns:
        Plain JSON values without times, addresses or paths: equal surroundings give
        equal descriptions.
    """
    return {
        "engine": ENGINE_VERSION,
        "python": platform.python_version(),
        "python_build": " ".join(
            (*platform.python_build(), platform.python_compiler())
        ),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "system": _system(),
        "libc": " ".join(platform.libc_ver()),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "threads": threads,
        "thread_settings": {
            name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ
        },
        "libraries": _libraries(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "lock": lock(),
    }


def lock() -> list[Json]:
    """List every installed distribution: `name`, `version` and `digest`.

    The digest is SHA-256 over the sorted names and digests of its files, as its
    `RECORD` states them, without those that an installer writes for one place; it is
    empty for a distribution without such a list.
    """
    found: dict[str, Json] = {}
    for distribution in metadata.distributions():
        name = _normalised(distribution.name or "")
        # The first on the path is the one that is imported.
        found.setdefault(
            name,
            {
                "name": name,
                "version": distribution.version,
                "digest": _content_digest(distribution.read_text("RECORD")),
            },
        )
    return [found[name] for name in sorted(found)]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _content_digest(record: str | None) -> str:
    if not record:
        return ""
    entries = (line.rsplit(",", 2) for line in record.splitlines() if line)
    kept = sorted(
        f"{name.strip(chr(34))}={digest}"
        for name, digest, _size in entries
        if digest and not _OF_THE_PLACE.search(name.strip('"'))
    )
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return platform.system()


def _cpu() -> Json:
    """Describe the first processor; systems without `/proc` say less."""
    found: Json = {"model": platform.processor(), "flags": [], "count": os.cpu_count()}
    for name, value in _cpu_lines():
        if name in _CPU_FIELDS:
            key = _CPU_FIELDS[name]
            found[key] = sorted(value.split()) if key == "flags" else value
    return found


def _cpu_lines() -> Iterator[tuple[str, str]]:
    path = Path("/proc/cpuinfo")
    first = path.read_text("utf-8").split("\n\n")[0] if path.is_file() else ""
    for line in first.splitlines():
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _libraries() -> list[Json]:
    """List the loaded numerical libraries, such as OpenBLAS and OpenMP."""
    found = [
        {
            "file": Path(str(library.get("filepath", ""))).name,
            **{
                key: library.get(key)
                for key in ("internal_api", "version", "architecture", "num_threads")
            },
        }
        for library in threadpool_info()
    ]
    return sorted(found, key=lambda library: str(library["file"]))
