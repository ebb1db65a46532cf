"""Git bundles of people's own code, made with the git program."""

import io
import os
import subprocess
from pathlib import Path

from tests.factories.code import MAIN, YAML

WHO = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in {
        "NAME": "A",
        "EMAIL": "a@example.gov",
        "DATE": "2026-01-01T00:00:00Z",
    }.items()
}


class Repository:
    """A repository that is filled object by object, without a work tree."""

    def __init__(self, folder: Path, *init: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", *init)

    def git(self, *words: str, given: str | bytes = b"") -> str:
        """Return what git says."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={
                "PATH": os.defpath,
                "GIT_DIR": str(self.folder),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                **WHO,
            },
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def blob(self, content: str | bytes) -> str:
        """Keep a file; return its id."""
        return self.git("hash-object", "-w", "--stdin", given=content)

    def tree(self, *lines: str) -> str:
        """Keep a folder of lines `mode kind id<TAB>name`; return its id."""
        return self.git(
            "mktree", "--missing", "-z", given="".join(f"{line}\0" for line in lines)
        )

    def project(self, *more: str, **files: str | bytes) -> str:
        """Keep the files of a project and `more` lines; return the tree."""
        wanted = {"project.yaml": YAML, "train.py": MAIN, **files}
        lines = [
            f"100644 blob {self.blob(data)}\t{name}" for name, data in wanted.items()
        ]
        return self.tree(*lines, *more)

    def commit(self, tree: str, *, branch: str = "main", parent: str = "") -> str:
        """Put a commit on a branch; return its id."""
        made = self.git(
            "commit-tree", tree, "-m", "x", *(["-p", parent] if parent else [])
        )
        self.git("update-ref", f"refs/heads/{branch}", made)
        return made

    def bundle(self, *words: str) -> io.BytesIO:
        """Return a bundle, of HEAD when nothing else is asked for."""
        path = self.folder / "project.bundle"
        self.git("bundle", "create", "--quiet", str(path), *(words or ("HEAD",)))
        return io.BytesIO(path.read_bytes())
