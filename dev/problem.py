"""What went wrong on this machine, said in a sentence that also names the fix."""

import errno
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GIGABYTE = 1024**3


class Problem(Exception):
    """Something the person at the terminal can fix; the message says how."""


def require_disk(folder: Path, gigabytes: float) -> None:
    """Refuse to go on when the disk of `folder` has less room than needed."""
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < gigabytes:
        raise Problem(
            f"The disk of {folder} is nearly full: {free:.1f} GB free, about "
            f"{gigabytes:g} GB needed. Free some space and run the command again."
        )


def run_command(main: Callable[[], int]) -> None:
    """Run one command; a known problem becomes one sentence and exit code 1."""
    try:
        code = main()
    except Problem as problem:
        print(f"\nCannot go on: {problem}", file=sys.stderr)
        code = 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("\nThe disk is full. Free some space and try again.", file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.exit(code if code >= 0 else 128 - code)
