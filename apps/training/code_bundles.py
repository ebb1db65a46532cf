"""Own code sent as a git bundle: made into a zip, which then goes the way of all zips.

The portal itself looks at no more than the first line. Packs are read by git, a program
in C, and one may have been made to mislead it; so git runs in the sandbox, within a
minute's limits, where it sees neither the portal's settings nor its database nor a
network. This happens when somebody sends the code, not when a worker runs it, since
whoever sends it wants to hear at once what is wrong. The bundle is not kept, only the
zip and the commit.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from apps.core import sandbox
from apps.core.errors import Invalid
from apps.training.code_projects import MAX_BYTES, MAX_FILES, MAX_ZIP_BYTES
from engine.spec import Limits, UnbundleSpec

if TYPE_CHECKING:
    from pathlib import Path

    from apps.core.sandbox import Outcome

MAGIC = (b"# v2 git bundle\n", b"# v3 git bundle\n")
ENDING = ".bundle"
WALL_SECONDS = 30
CPU_SECONDS = 20
MEMORY_BYTES = 1024**3
# Room for what cannot be packed, and for the names.
MAX_MADE_BYTES = MAX_BYTES + 1024**2
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
TOLD = {"bad_input", "no_sandbox"}


@dataclass(frozen=True)
class SentCode:
    """A project as a zip.

    Args:
        archive: seekable.
        commit: full id of the commit it was made from; "" when it was sent as a zip.
    """

    archive: IO[bytes]
    commit: str = ""


def as_zip(content: IO[bytes], ref: str = "") -> SentCode:
    """Return what was sent, a git bundle as a zip of the commit at `ref`.

    Args:
        content: seekable; may be anything.
        ref: a branch or tag of the bundle; "" is HEAD, or the only one there is.

    Raises:
        Invalid: a bundle is damaged, too large or not whole, or holds what a project
            may not hold; a ref is named, and this is no bundle or does not have it.
    """
    content.seek(0)
    if content.read(len(MAGIC[0])) in MAGIC:
        return _unbundled(content, ref)
    if str(getattr(content, "name", "")).lower().endswith(ENDING):
        raise _fault("The file is named like a git bundle, but is none.")
    if ref:
        raise _fault("Only a git bundle has refs; leave this empty for a zip.", "ref")
    return SentCode(content)


def _unbundled(content: IO[bytes], ref: str) -> SentCode:
    if content.seek(0, 2) > MAX_ZIP_BYTES:
        most = MAX_ZIP_BYTES // 1024**2
        raise _fault(
            f"The git bundle is larger than {most} MiB. Leave history out by sending a "
            "zip: git archive --output project.zip HEAD."
        )
    content.seek(0)
    with sandbox.job_folder("unbundle") as folder:
        with (folder / "inputs" / "project.bundle").open("wb") as file:
            shutil.copyfileobj(content, file)
        (folder / "spec.json").write_text(json.dumps(_spec(ref).to_json()))
        outcome = sandbox.run(
            folder,
            "unbundle",
            watch=lambda _: "go on",
            wall_seconds=WALL_SECONDS,
            memory_bytes=MEMORY_BYTES,
        )
        return _taken(outcome, folder)


def _spec(ref: str) -> UnbundleSpec:
    limits = Limits(
        memory_bytes=MEMORY_BYTES,
        cpu_seconds=CPU_SECONDS,
        file_bytes=MAX_MADE_BYTES,
        wall_seconds=WALL_SECONDS,
    )
    return UnbundleSpec(
        ref=ref, max_files=MAX_FILES, max_bytes=MAX_BYTES, limits=limits
    )


def _taken(outcome: Outcome, folder: Path) -> SentCode:
    """Take the zip and the commit; neither is believed to be well made."""
    commit = str(outcome.result.get("commit", ""))
    if outcome.status == "succeeded" and COMMIT.fullmatch(commit):
        made = (folder / "outputs" / "project.zip").read_bytes()
        return SentCode(io.BytesIO(made), commit)
    if outcome.code in TOLD:
        about_ref = {"field": "ref"} in outcome.details
        raise _fault(outcome.message, "ref" if about_ref else "code")
    raise _fault(
        "The git bundle could not be read within the limits for that. Send a zip: git "
        "archive --output project.zip HEAD."
    )


def _fault(sentence: str, field: str = "code") -> Invalid:
    return Invalid(sentence, fields={field: sentence})
