"""Random filters and orders, valid by construction."""

from __future__ import annotations

from hypothesis import strategies as st

from apps.experiments.search.nodes import Clause, Entity, Key, Operator, Order
from apps.experiments.search.vocabulary import LISTS, PRESENCE, Vocabulary

# Whatever Postgres can hold in a text.
SIGNS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
# Few, so that filters and runs often speak of the same, and awkward all the same.
KEYS = st.sampled_from(["a", 'é%. "` AND'])
WORDS = st.sampled_from(
    ["", "a", "A", "ab", "a%", "a_b", "a\\b", "\\", "it's", 'say "x"', "é", "É", "日本"]
)
PATTERNS = st.sampled_from(
    [
        "%",
        "_",
        "a%",
        "%b",
        "a_b",
        "A%",
        "%\\%",
        "\\%",
        "a\\_",
        "%'%",
        "é",
        "__",
        "%%",
        "",
    ]
)
NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 0.5, 1e300, float("inf"), float("-inf"), 10**30]),
    st.integers(-3, 3),
    st.floats(allow_nan=False),
)


def keys(vocabulary: Vocabulary, names: st.SearchStrategy[str] = KEYS):
    """Keys that a clause may have."""
    known = [Key(Entity.ATTRIBUTE, name) for name in vocabulary.attributes]
    known += [Key(Entity.DATASET, name) for name in vocabulary.datasets]
    free = [st.builds(Key, st.just(entity), names) for entity in vocabulary.free]
    return st.one_of(st.sampled_from(known), *free)


def order_keys(vocabulary: Vocabulary, names: st.SearchStrategy[str] = KEYS):
    """Keys that an order may have."""
    known = [Key(Entity.ATTRIBUTE, name) for name in sorted(vocabulary.sorted_by)]
    free = [
        st.builds(Key, st.just(entity), names)
        for entity in sorted(vocabulary.free_order)
    ]
    return st.one_of(st.sampled_from(known), *free)


@st.composite
def clauses(draw, vocabulary: Vocabulary, *, names=KEYS, words=WORDS, numbers=NUMBERS):
    """One clause that the vocabulary allows."""
    key = draw(keys(vocabulary, names))
    allowed = vocabulary.operators(key)
    operator = draw(st.sampled_from([one for one in Operator if one in allowed]))
    if operator in PRESENCE:
        return Clause(key, operator)
    if operator in LISTS:
        texts = draw(st.lists(words, min_size=1, max_size=4))
        return Clause(key, operator, tuple(texts))
    if Operator.GREATER in allowed:
        return Clause(key, operator, draw(numbers))
    liking = operator in (Operator.LIKE, Operator.ILIKE)
    return Clause(key, operator, draw(PATTERNS if liking else words))


def orders(vocabulary: Vocabulary):
    """Several orders, no key twice."""
    one = st.builds(Order, order_keys(vocabulary), st.booleans())
    return st.lists(one, max_size=3, unique_by=lambda order: order.key)
