"""Arrow IPC, as a file or as a stream; Feather of version 2 is the former."""

from pathlib import Path
from typing import Any

from arro3 import io

from engine.folder import EngineError
from engine.readers import parquet, raw_bytes
from engine.readers.task import Task

_MAGIC = b"ARROW1"
_CONTINUES = b"\xff\xff\xff\xff"


def read(task: Task) -> dict[str, str]:
    """Write Arrow data as Parquet; return the SQL type of each column.

    Raises:
        EngineError: broken, also something else, or with columns of several values.
    """
    task.progress(0.1, "Writing Parquet")
    try:
        task.database.register("arrow_source", _open(task.path))
        return parquet.write(task, "arrow_source")
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(
            f"The file cannot be read as Arrow ({str(error).splitlines()[0][:200]}); "
            "write it again."
        ) from error


def _open(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(max(0, path.stat().st_size - len(_MAGIC)))
        tail = file.read()
    if not head:
        raise EngineError("The file is empty; upload one with data.")
    if not head.startswith((_MAGIC, _CONTINUES)):
        found = raw_bytes.kind_of(head) or "something else"
        raise EngineError(
            f"The file is {found}, not Arrow; upload it under its true name or write "
            "it again."
        )
    parquet.check_no_zip(path, "Arrow")
    if head.startswith(_CONTINUES):
        return io.read_ipc_stream(path)
    if tail != _MAGIC:
        raise EngineError("The Arrow file was cut short; write it again.")
    return io.read_ipc(path)
