"""Verb `unbundle`: make a plain zip of the files of one commit of a git bundle.

Packs are a format for experts, and git reads them in C, so this runs in the sandbox
like people's own code: without network, and without sight of the portal. There is never
a checkout and never a fetch. The pack is indexed into an empty repository, every object
is checked, and files are read by their object ids; so hooks, settings, attributes,
links and submodules of the bundle have nowhere to act. The portal takes no more from
here than from anybody: it reads the zip as it reads every zip that people send.
"""

import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine.folder import EngineError, Folder, Json
from engine.spec.code import UnbundleSpec

BUNDLE = "project.bundle"
PROJECT = "project.zip"
SIGNATURES = (b"# v2 git bundle", b"# v3 git bundle")
SHA1, SHA256 = "@object-format=sha1", "@object-format=sha256"
REF = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}) (\S+)")
PLAIN_FILES = {"100644", "100755", "100664"}
PLACES = ("", "refs/heads/", "refs/tags/", "refs/")
LISTING_BYTES = 1024 * 1024
MOST_NAMED = 10
MOST_SAID = 200
SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "pack.threads": "1",
    "protocol.allow": "never",
    "transfer.fsckObjects": "true",
}


@dataclass(frozen=True)
class Bundle:
    """A bundle that needs nothing beside itself.

    Attributes:
        refs: object id by name.
        object_format: sha1 or sha256.
        pack: all objects.
    """

    refs: dict[str, str]
    object_format: str
    pack: bytes


@dataclass(frozen=True)
class Entry:
    """A file of a commit."""

    name: str
    oid: str
    size_bytes: int


class Git:
    """The git program on an empty repository, with settings from nowhere else."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise EngineError(
                "This portal cannot read git bundles, because its host has no git. "
                "Send a zip, such as git archive makes, or ask an operator."
            )
        settings = [
            word for pair in SETTINGS.items() for word in ("-c", "=".join(pair))
        ]
        self._program = [program, "--no-pager", "--no-replace-objects", *settings]
        self._options = {
            "cwd": folder,
            "env": {
                "PATH": os.defpath,
                "HOME": str(folder),
                "LC_ALL": "C",
                "GIT_DIR": str(folder / "repository"),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_NO_LAZY_FETCH": "1",
                "GIT_TERMINAL_PROMPT": "0",
            },
        }

    def run(self, *words: str, given: bytes = b"") -> bytes:
        """Return what git says.

        Raises:
            EngineError: it failed; the sentence ends with git's own words.
        """
        done = subprocess.run(
            [*self._program, *words],
            **self._options,  # type: ignore[call-overload]
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            said = "; ".join(done.stderr.decode(errors="replace").splitlines())
            said = "".join(filter(str.isprintable, said))[:MOST_SAID].rstrip(".")
            raise EngineError(
                "The git bundle is damaged or not whole; make it anew with git bundle "
                f"create, in a full clone. Git says: {said or 'nothing'}."
            )
        return bytes(done.stdout)

    def start_of(self, *words: str, most: int) -> bytes:
        """Return what git says, but no more than `most` bytes of it."""
        with subprocess.Popen(
            [*self._program, *words],
            **self._options,  # type: ignore[call-overload]
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            said = bytes(process.stdout.read(most))
            process.kill()
        return said


def run(spec: UnbundleSpec, folder: Folder) -> Json:
    """Write `outputs/project.zip`, and say which commit it is.

    Raises:
        EngineError: it is no whole bundle, has no such ref, or the commit holds what a
            project may not hold.
    """
    bundle = read_bundle(folder.require_input(BUNDLE).read_bytes())
    ref = choose(bundle.refs, spec.ref)
    git = Git(folder.path / "tmp")
    kind = f"--object-format={bundle.object_format}"
    git.run("init", "--quiet", "--bare", "--template=", kind)
    git.run("index-pack", "--stdin", "--strict", given=bundle.pack)
    named = f"{bundle.refs[ref]}^{{commit}}"
    commit = git.run("rev-parse", "--verify", named).decode().strip()
    entries = list_files(git, commit, spec)
    write_zip(git, entries, folder.outputs / PROJECT)
    return {"commit": commit, "ref": ref}


def read_bundle(data: bytes) -> Bundle:
    """Read the lines before the pack.

    Raises:
        EngineError: they are none of a bundle, or objects are missing on purpose.
    """
    head, _, pack = data.partition(b"\n\n")
    signature, *lines = head.split(b"\n")
    if signature not in SIGNATURES or not pack.startswith(b"PACK"):
        raise EngineError("The file is not a git bundle, or is cut off.")
    refs, object_format = {}, "sha1"
    for line in (line.decode(errors="replace") for line in lines):
        if line.startswith("-"):
            raise EngineError(
                "The git bundle builds on commits that are not in it. Make it from the "
                "whole history: git bundle create project.bundle HEAD."
            )
        if line in {SHA1, SHA256}:
            object_format = line.partition("=")[2]
        elif found := REF.fullmatch(line):
            refs[found[2]] = found[1]
        else:
            raise EngineError(
                f"The git bundle says {line[:80]!r}, which is not supported. Make it "
                "with git bundle create project.bundle HEAD."
            )
    return Bundle(refs, object_format, pack)


def choose(refs: dict[str, str], wanted: str) -> str:
    """Find the name of a ref: as asked for, else HEAD, else the only one.

    Raises:
        EngineError: there is none, or several could be meant.
    """
    if not wanted and "HEAD" not in refs and len(refs) == 1:
        return next(iter(refs))
    for place in PLACES:
        if (name := place + (wanted or "HEAD")) in refs:
            return name
    known = ", ".join(sorted(refs)[:MOST_NAMED]) or "no refs"
    raise EngineError(
        f"The git bundle has no {wanted[:80] or 'HEAD'}. Name one of these: "
        f"{known[:500]}.",
        details=[{"field": "ref"}],
    )


def list_files(git: Git, commit: str, spec: UnbundleSpec) -> list[Entry]:
    """List the files of a commit, before any is read.

    Raises:
        EngineError: they are too many or too large, or one is a link or a submodule.
    """
    # Twenty trees can list a billion files, so the listing itself has an end.
    listing = git.start_of("ls-tree", "-rlz", "--full-tree", commit, most=LISTING_BYTES)
    lines = listing.decode(errors="replace").split("\0")[:-1]
    if len(lines) > spec.max_files or len(listing) == LISTING_BYTES:
        raise EngineError(f"The commit holds more than {spec.max_files} files.")
    entries = [_entry(line) for line in lines]
    if sum(entry.size_bytes for entry in entries) > spec.max_bytes:
        most = spec.max_bytes // 1024**2
        raise EngineError(f"The files of the commit are larger than {most} MiB.")
    return entries


def _entry(line: str) -> Entry:
    about, _, name = line.partition("\t")
    mode, kind, oid, size = about.split()
    if kind == "commit":
        raise EngineError(
            f"{name[:200]} is a submodule; put its files into the commit."
        )
    if mode not in PLAIN_FILES:
        raise EngineError(f"{name[:200]} is a link; put the file itself there.")
    return Entry(name, oid, int(size))


def write_zip(git: Git, entries: list[Entry], target: Path) -> None:
    """Put the files into a zip, the same bytes for the same commit."""
    wanted = "".join(f"{entry.oid}\n" for entry in entries).encode()
    content = git.run("cat-file", "--batch", given=wanted)
    place = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            place = content.index(b"\n", place) + 1
            file = zipfile.ZipInfo(entry.name)
            file.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(file, content[place : place + entry.size_bytes])
            place += entry.size_bytes + 1
