"""Write the reference documents, or say which of them are out of date."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.home.reference import WRITERS


class Command(BaseCommand):
    help = "Write docs/reference/ from the code; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="fail when a file is out of date"
        )
        parser.add_argument(
            "--folder",
            type=Path,
            default=settings.BASE_DIR / "docs" / "reference",
            help="where the files are",
        )

    def handle(self, *args: Any, check: bool, folder: Path, **options: Any) -> None:
        content = {folder / name: write() for name, write in WRITERS.items()}
        stale = [path for path, text in content.items() if _read(path) != text]
        if check and stale:
            names = ", ".join(path.name for path in stale)
            raise CommandError(f"Out of date: {names}. Run `make docs` and commit.")
        folder.mkdir(parents=True, exist_ok=True)
        for path in stale:
            path.write_text(content[path], encoding="utf-8")
            self.stdout.write(f"Wrote {path.name}.")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
