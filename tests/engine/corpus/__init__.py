"""Broken files, made by code: what each is called, what it holds, how it is refused."""

from tests.engine.corpus import archives, packed, tables, texts
from tests.engine.corpus.broken import Broken

CORPUS = (*texts.FILES, *tables.FILES, *packed.FILES, *archives.FILES)

__all__ = ["CORPUS", "Broken"]
