"""Reads filters and orders in the grammar of MLflow's search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.experiments.search.nodes import (
    Clause,
    Entity,
    Key,
    Operator,
    Order,
    SearchError,
)
from apps.experiments.search.tokens import Kind, Token, parts_of, read_tokens, unquoted
from apps.experiments.search.vocabulary import LISTS, PREFIXES, PRESENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.experiments.search.vocabulary import Operators, Vocabulary

MOST_CLAUSES = 50
MOST_ORDERS = 10
MOST_DIGITS = 100
_WORDED = (
    Operator.IS_NOT_NULL,
    Operator.IS_NULL,
    Operator.NOT_IN,
    Operator.IN,
    Operator.LIKE,
    Operator.ILIKE,
)
_SIGNS = {"=", "!=", ">", ">=", "<", "<="}


def parse_filter(text: str, vocabulary: Vocabulary) -> tuple[Clause, ...]:
    """Read a filter: comparisons joined by `AND`; an empty one has none.

    Raises:
        SearchError: the text is no such filter; says where and why.
    """
    return _Reader(text, vocabulary).filter()


def parse_order(terms: Sequence[str], vocabulary: Vocabulary) -> tuple[Order, ...]:
    """Read what to sort by: a key in each text, then `ASC`, `DESC` or nothing.

    Returns:
        Orders without those whose key was named before.

    Raises:
        SearchError: one of the texts is no such order.
    """
    if len(terms) > MOST_ORDERS:
        raise SearchError(
            f"Invalid order_by clause: {MOST_ORDERS} keys are the most to sort by."
        )
    orders: dict[Key, Order] = {}
    for term in terms:
        order = _Reader(term, vocabulary).order()
        orders.setdefault(order.key, order)
    return tuple(orders.values())


def parse_key(text: str, vocabulary: Vocabulary) -> Key:
    """Read a single key, such as `metrics.loss` or `start_time`.

    Raises:
        SearchError: the text is no key of this vocabulary.
    """
    reader = _Reader(text, vocabulary)
    key = reader.key()
    vocabulary.operators(key)
    if not reader.is_next(Kind.END):
        raise reader.fault("expected one key and nothing else")
    return key


class _Reader:
    """Goes through the tokens of one text, left to right."""

    def __init__(self, text: str, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.tokens = read_tokens(text)
        self.index = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def takes_words(self, *words: str) -> bool:
        """Step over these words if they come next, in any case."""
        coming = self.tokens[self.index : self.index + len(words)]
        if [token.text.upper() for token in coming] != list(words):
            return False
        self.index += len(words)
        return True

    def is_next(self, kind: Kind) -> bool:
        return self.token.kind is kind

    def filter(self) -> tuple[Clause, ...]:
        if self.is_next(Kind.END):
            return ()
        clauses = [self.clause()]
        while not self.is_next(Kind.END):
            if not self.takes_words("AND"):
                raise self.fault("clauses are joined by AND only")
            if len(clauses) == MOST_CLAUSES:
                raise self.fault(f"{MOST_CLAUSES} clauses are the most")
            clauses.append(self.clause())
        return tuple(clauses)

    def clause(self) -> Clause:
        place = self.token.place
        key = self.key()
        allowed = self.vocabulary.operators(key, place=place)
        operator = self.operator(key, allowed)
        if operator in PRESENCE:
            return Clause(key, operator)
        if operator in LISTS:
            return Clause(key, operator, self.texts())
        if Operator.GREATER in allowed:
            return Clause(key, operator, self.number(key))
        return Clause(key, operator, self.text(key))

    def order(self) -> Order:
        if not self.is_next(Kind.NAME):
            raise SearchError(
                "Invalid order_by clause: write a key, then ASC or DESC.",
                place=self.token.place,
            )
        place = self.token.place
        key = self.key()
        self.vocabulary.check_order(key, place=place)
        descending = self.takes_words("DESC")
        if not descending:
            self.takes_words("ASC")
        if not self.is_next(Kind.END):
            raise SearchError(
                f"Invalid order_by clause: {_shown(self.token)} is no ordering key; "
                "ASC and DESC are.",
                place=self.token.place,
            )
        return Order(key, descending)

    def key(self) -> Key:
        token = self.take()
        if token.kind is not Kind.NAME:
            raise self.fault(f"expected a key, found {_shown(token)}", token)
        parts = parts_of(token.text)
        if len(parts) == 1:
            name = parts[0][0]
            return Key(Entity.ATTRIBUTE, self.vocabulary.aliases.get(name, name))
        (prefix, _), *rest = parts
        entity = PREFIXES.get(prefix.lower())
        if entity is None or not self.vocabulary.knows(entity):
            raise SearchError(
                f"Invalid entity type {prefix!r}: keys start with "
                f"{', '.join(self.prefixes())} or nothing.",
                place=token.place,
            )
        if len(rest) > 1 and any(quoted for _, quoted in rest):
            raise self.fault("put the whole key after its prefix in backticks", token)
        name = ".".join(part for part, _ in rest)
        if entity is Entity.ATTRIBUTE:
            name = self.vocabulary.aliases.get(name, name)
        return Key(entity, name)

    def prefixes(self) -> list[str]:
        return [f"{entity}." for entity in Entity if self.vocabulary.knows(entity)]

    def operator(self, key: Key, allowed: Operators) -> Operator:
        token = self.token
        operator = self.read_operator()
        if operator not in allowed:
            raise SearchError(
                f"Invalid comparator {operator.value!r} for {key}: there are "
                f"{', '.join(one for one in Operator if one in allowed)}.",
                place=token.place,
            )
        return operator

    def read_operator(self) -> Operator:
        if self.is_next(Kind.MARK) and self.token.text in _SIGNS:
            return Operator(self.take().text)
        for operator in _WORDED:
            if self.takes_words(*operator.split()):
                return operator
        raise self.fault(f"expected a comparator, found {_shown(self.token)}")

    def number(self, key: Key) -> int | float:
        token = self.take()
        if token.kind is not Kind.NUMBER:
            what = "metric" if key.entity is Entity.METRIC else key.name
            raise SearchError(
                f"Expected numeric value type for {what}, found {_shown(token)}; "
                "numbers stand without quotes.",
                place=token.place,
            )
        if len(token.text) > MOST_DIGITS:
            raise self.fault(f"numbers have at most {MOST_DIGITS} characters", token)
        try:
            return int(token.text)
        except ValueError:
            return float(token.text)

    def text(self, key: Key) -> str:
        token = self.take()
        if not _is_text(token):
            raise SearchError(
                f"Expected a quoted string value for {key}, found {_shown(token)}; "
                "write it as 'value'.",
                place=token.place,
            )
        return unquoted(token.text)

    def texts(self) -> tuple[str, ...]:
        self.expect("(")
        texts: list[str] = []
        while True:
            token = self.take()
            if not _is_text(token):
                raise self.fault("a list is written as ('one', 'two')", token)
            texts.append(unquoted(token.text))
            if self.token.text != ",":
                break
            self.take()
            if self.token.text == ")":  # as Python writes a tuple of one
                break
        self.expect(")")
        return tuple(texts)

    def expect(self, mark: str) -> None:
        token = self.take()
        if token.text != mark:
            raise self.fault("a list is written as ('one', 'two')", token)

    def fault(self, why: str, token: Token | None = None) -> SearchError:
        return SearchError(
            f"Invalid clause(s) in filter string: {why}.",
            place=(token or self.token).place,
        )


def _is_text(token: Token) -> bool:
    if token.kind is Kind.TEXT:
        return True
    whole = token.kind is Kind.NAME and token.text.startswith('"')
    return whole and len(parts_of(token.text)) == 1


def _shown(token: Token) -> str:
    if token.kind is Kind.END:
        return "the end"
    return token.text if len(token.text) <= MOST_DIGITS else f"{token.text[:40]}…"
