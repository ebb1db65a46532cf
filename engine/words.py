"""Texts as numbers: each word falls into one of a fixed count of buckets.

No list of words is learned, so words that were never seen need no rule of their own
and no text of the training data is kept in the model. Different words can share a
bucket; more buckets make that rarer.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from engine.measures import Floats

BATCH = 5_000  # texts held at once


def columns(buckets: int) -> list[str]:
    """Name the numbers of a text, from `words 1`."""
    return [f"words {number}" for number in range(1, buckets + 1)]


def numbers(texts: Sequence[str], buckets: int) -> Floats:
    """Count each text's words; shape (n, buckets), rows of length one or all 0."""
    counted = HashingVectorizer(n_features=buckets).transform(texts).toarray()
    # Single precision, because that is what an exported model computes with.
    found: Floats = counted.astype(np.float32).astype(np.float64)
    return found
