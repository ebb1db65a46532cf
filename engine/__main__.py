"""Run one job: `python -m engine <verb> <folder>`.

Exit code 0 when `result.json` says succeeded, 1 when it says why not, 2 for wrong
usage and 3 for a defect of the engine, with its traceback on standard error.
"""

import errno
import sys
import traceback
from importlib import import_module
from pathlib import Path

from engine import limits
from engine.folder import Code, EngineError, Folder, Json
from engine.spec import SPECS, Limits, SpecError

USAGE = f"usage: python -m engine {{{'|'.join(SPECS)}}} <folder with spec.json>\n"
GIBIBYTE = 1024**3


def main(arguments: list[str]) -> int:
    """Run the verb on the folder and write `result.json`; return the exit code."""
    match arguments:
        case [verb, path] if verb in SPECS and (Path(path) / "spec.json").is_file():
            folder = Folder(Path(path))
        case _:
            sys.stderr.write(USAGE)
            return 2
    limits.die_with_parent()
    result, exit_code = _run(verb, folder)
    folder.write_json("result.json", result)
    return exit_code


def _run(verb: str, folder: Folder) -> tuple[Json, int]:
    allowed = Limits()
    try:
        spec = SPECS[verb].from_json(folder.read_spec())
        allowed = spec.limits
        limits.fix_threads(spec.threads)
        limits.apply(allowed)
        folder.outputs.mkdir(exist_ok=True)
        # Each verb's libraries take seconds to import, so only its own are.
        result = import_module(f"engine.{verb}").run(spec, folder)
    except Exception as error:  # noqa: BLE001 - the outermost edge; nothing is lost
        return _failure(error, allowed)
    folder.progress(1.0, "Done")
    return {"status": "succeeded", **result}, 0


def _failure(error: Exception, allowed: Limits) -> tuple[Json, int]:
    match error:
        case EngineError():
            return _failed(error.code, error.message, error.details), 1
        case SpecError():
            return _failed("bad_input", f"The spec is wrong: {error}"), 1
        case _ if _is_out_of_memory(error):
            return _failed("out_of_memory", _memory_message(allowed)), 1
        case OSError(errno=errno.EFBIG):
            message = "A result is larger than a file may be; ask for a higher limit."
            return _failed("bad_input", message), 1
        case OSError(errno=errno.EAGAIN):
            message = "The job needs more processes or threads than it may have."
            return _failed("bad_input", message), 1
        case OSError(errno=errno.ENOSPC):
            message = "The disk of the worker is full; ask an administrator for room."
            return _failed("internal", message), 1
    traceback.print_exception(error)
    if allowed.cpu_seconds and limits.is_spent(allowed.cpu_seconds):
        # A library that was interrupted made another error of it.
        spent = limits.out_of_time(allowed.cpu_seconds)
        return _failed(spent.code, spent.message), 1
    message = f"The engine failed ({type(error).__name__}); report this with the log."
    return _failed("internal", message), 3


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Look for a `MemoryError` behind whatever a native library made of it."""
    while error is not None and not isinstance(error, MemoryError):
        error = error.__cause__ or error.__context__
    return error is not None


def _memory_message(allowed: Limits) -> str:
    limit = allowed.memory_bytes
    room = "there is" if limit is None else f"its limit of {limit / GIBIBYTE:.1f} GiB"
    return (
        f"The job needs more memory than {room}; use fewer rows or features, "
        "or ask for a higher limit."
    )


def _failed(code: Code, message: str, details: list[Json] | None = None) -> Json:
    return {
        "status": "failed",
        "code": code,
        "message": message,
        "details": details or [],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
