"""A model that is known by its ONNX file alone, asked as a pipeline would be.

`signature.json` says which columns there are. An input of the model takes them in one
of these ways: one column by its name; all numbers or all texts as a matrix, in the
order of the signature; or the pictures of one column as a tensor.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.features import Layout, Table
from engine.folder import EngineError
from engine.measures import Floats
from engine.onnx_file import failure, open_session
from engine.package import Signature
from engine.tensors import Pictures, Tensor

MOST_ROWS = 10_000  # asked at once
MOST_NUMBERS = 1_000_000  # given at once
MOST_CLASSES = 1_000
_CLOSE = 1e-3
_MATRIX, _TENSOR = 2, 4
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
_TEXT = "tensor(string)"


@dataclass(frozen=True)
class _Feed:
    """What one input of the model takes.

    Attributes:
        positions: of its columns in a table; empty for pictures.
        is_flat: whether it takes shape (n,) instead of (n, columns).
    """

    name: str
    type: str
    positions: tuple[int, ...]
    is_flat: bool = False


class OnnxModel:
    """Answers rows by an ONNX file.

    Args:
        path: of the file.
        signature: what goes in and what comes out.
        threads: of each answer.
        pictures: makes their reader of a column and its tensor; without, a model that
            takes pictures cannot be asked.

    Raises:
        EngineError: the file is not fit, or does not go with its signature.
    """

    def __init__(
        self,
        path: Path,
        signature: Signature,
        *,
        threads: int,
        pictures: Callable[[str, Tensor], Pictures] | None = None,
    ) -> None:
        _check(signature)
        self._session = open_session(path, threads)
        self._signature = signature
        self._layout = signature.reading().layout()
        self._column = signature.tensor_column
        self._feeds = [
            _feed(given, signature, self._layout)
            for given in self._session.get_inputs()
        ]
        self._check_all_taken()
        self._fixed = _fixed_rows(self._session)
        self._pictures = None
        if self._column and signature.tensor and pictures:
            self._pictures = pictures(self._column, signature.tensor)
        # Classes are numbered in the order of the alphabet everywhere else.
        self._order = np.argsort(np.array(signature.classes, dtype=str), kind="stable")
        self.classes_ = np.array(sorted(signature.classes), dtype=str)

    def answers(self, table: Table) -> Floats:
        """Return values, shape (n,), or probabilities in the order of `classes_`.

        Raises:
            EngineError: the model refuses the rows, or answers something else.
        """
        width = len(self.classes_)
        found = np.empty((len(table), width) if width else len(table))
        for places, given in self._batches(table):
            found[places] = self._ask(given, len(places))
        return found

    def asking(self, table: Table) -> Callable[[], None]:
        """Prepare rows now and return what asks the model for them.

        Pictures are prepared for the first batch only, which then stands for all.
        """
        ready = []
        for places, given in self._batches(table):
            ready.append((given, len(places)))
            if self._pictures is not None:
                ready *= -(-len(table) // len(places))
                break

        def ask() -> None:
            for given, rows in ready:
                self._ask(given, rows)

        return ask

    def _batches(
        self, table: Table
    ) -> Iterator[tuple[NDArray[np.int64], Mapping[str, Any]]]:
        """Yield places of the table and what the model is given for them."""
        if self._column is None:
            width = max(len(self._layout.numbers) + len(self._layout.categories), 1)
            for places in _parts(np.arange(len(table)), self._at_once(width)):
                yield places, self._given(table.take(places), None)
            return
        if self._pictures is None:
            raise EngineError("The pictures of the model are not at hand.")
        rows, firsts, inverse = np.unique(
            table.rows, return_index=True, return_inverse=True
        )
        size = self._at_once(self._pictures.tensor.size)
        for places, tensors in self._pictures.batches(rows, size):
            first = firsts[places]
            if len(rows) == len(table):
                yield first, self._given(table.take(first), tensors)
                continue
            # A row that is asked for more than once is read once.
            inside = np.flatnonzero((inverse >= places[0]) & (inverse <= places[-1]))
            for part in _parts(inside, size):
                own = tensors[inverse[part] - places[0]]
                yield part, self._given(table.take(part), own)

    def _at_once(self, width: int) -> int:
        if self._fixed is not None:
            return self._fixed
        return max(1, min(MOST_ROWS, MOST_NUMBERS // width))

    def _given(self, table: Table, tensors: Any) -> dict[str, Any]:
        given = {}
        for feed in self._feeds:
            values = tensors if not feed.positions else _columns(feed, table)
            if feed.type != _TEXT:
                values = _cast(values, feed)
            given[feed.name] = values[:, 0] if feed.is_flat else values
        return given

    def _ask(self, given: Mapping[str, Any], rows: int) -> Floats:
        if self._fixed is not None and rows < self._fixed:
            more = np.minimum(np.arange(self._fixed), rows - 1)
            given = {name: values[more] for name, values in given.items()}
        try:
            answers = self._session.run(None, given)
        except Exception as error:
            raise failure(error, "The model cannot answer these rows") from error
        asked = self._fixed or rows
        if not len(self.classes_):
            return _values(answers, asked)[:rows]
        found = _probabilities(answers, asked, self._signature)[:rows]
        return found[:, self._order]

    def _check_all_taken(self) -> None:
        taken = {place for feed in self._feeds for place in feed.positions}
        names = [*self._layout.numbers, *self._layout.categories]
        left = [name for place, name in enumerate(names) if place not in taken]
        if self._column and all(feed.positions for feed in self._feeds):
            left.append(self._column)
        if left:
            raise EngineError(
                f'signature.json has "{left[0]}", which no input of model.onnx takes.'
            )


def _check(signature: Signature) -> None:
    """Refuse a signature by which answers cannot be read."""
    classes, label = signature.classes, signature.positive_label
    if signature.task == "regression":
        fits = not classes
    else:
        fits = 2 <= len(set(classes)) == len(classes) <= MOST_CLASSES  # noqa: PLR2004
    if signature.task == "binary":
        fits = fits and len(classes) == 2 and label in classes  # noqa: PLR2004
    if not fits:
        raise EngineError(
            "signature.json must list the classes in the order of the probabilities: "
            f"two of a binary target, up to {MOST_CLASSES:,} of others, none where "
            "numbers are predicted."
        )
    if (signature.tensor is None) != (signature.tensor_column is None):
        raise EngineError(
            'signature.json must say by "tensor" how the pictures of its one input '
            'of the kind "image" are given to model.onnx.'
        )


def _feed(given: Any, signature: Signature, layout: Layout) -> _Feed:
    """Find the columns of one input."""
    name, kind, shape = given.name, given.type, list(given.shape)
    if kind != _TEXT and kind not in _TYPES:
        raise EngineError(f'The input "{name}" of model.onnx is a {kind}, not a table.')
    tensor = signature.tensor
    if tensor is not None and len(shape) == _TENSOR:
        wanted = list(tensor.shape)
        pairs = zip(shape[1:], wanted, strict=True)
        if all(a == b for a, b in pairs if isinstance(a, int)):
            return _Feed(name, kind, ())
        raise EngineError(
            f'The input "{name}" of model.onnx takes pictures of the shape '
            f"{shape[1:]}, and signature.json says {wanted}."
        )
    count, texts = len(layout.numbers), len(layout.categories)
    own = layout.categories if kind == _TEXT else layout.numbers
    offset = count if kind == _TEXT else 0
    if name in own:
        position = (offset + own.index(name),)
        return _Feed(name, kind, position, is_flat=len(shape) < _MATRIX)
    every = range(count, count + texts) if kind == _TEXT else range(count)
    fits = len(shape) == _MATRIX and (
        not isinstance(shape[1], int) or shape[1] == len(every)
    )
    if not every or not fits:
        raise EngineError(
            f'The input "{name}" of model.onnx ({kind}, shape {shape}) is neither a '
            "column of signature.json nor all of its numbers or texts."
        )
    return _Feed(name, kind, tuple(every))


def _fixed_rows(session: onnxruntime.InferenceSession) -> int | None:
    """Return the only number of rows that the model takes, where it has one."""
    firsts = {given.shape[0] for given in session.get_inputs() if given.shape}
    fixed = {first for first in firsts if isinstance(first, int) and first > 0}
    if len(fixed) > 1:
        raise EngineError("The inputs of model.onnx take different numbers of rows.")
    return fixed.pop() if fixed else None


def _parts(places: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _columns(feed: _Feed, table: Table) -> NDArray[Any]:
    count = table.numbers.shape[1]
    if feed.type != _TEXT:
        return table.numbers[:, feed.positions]
    return np.column_stack(
        [table.levels[p - count][table.codes[:, p - count]] for p in feed.positions]
    )


def _cast(values: NDArray[Any], feed: _Feed) -> NDArray[Any]:
    wanted = _TYPES[feed.type]
    if not np.issubdtype(wanted, np.floating) and not np.isfinite(values).all():
        raise EngineError(
            f'A value of "{feed.name}" is missing, which an input of whole numbers '
            "cannot take; let the model take numbers of single precision."
        )
    return values.astype(wanted)


def _values(answers: list[Any], rows: int) -> Floats:
    for answer in answers:
        if _is_numbers(answer) and answer.size == rows:
            found: Floats = answer.ravel().astype(np.float64)
            if np.isfinite(found).all():
                return found
            raise EngineError("The model answers something that is no number.")
    raise EngineError("model.onnx has no output with one number for each row.")


def _probabilities(answers: list[Any], rows: int, signature: Signature) -> Floats:
    """Return shape (rows, classes), in the order of the signature."""
    classes = len(signature.classes)
    for answer in reversed(answers):  # what is refined comes last
        if not _is_numbers(answer):
            continue
        if answer.shape == (rows, classes):
            return _checked(answer.astype(np.float64))
        if signature.task == "binary" and answer.shape in ((rows,), (rows, 1)):
            positive = answer.reshape(rows, 1).astype(np.float64)
            pair = [positive, 1 - positive]
            if signature.classes[0] != signature.positive_label:
                pair.reverse()
            return _checked(np.hstack(pair))
    raise EngineError(
        f"model.onnx has no output of the shape (rows, {classes}) with the "
        "probabilities of the classes; export it so (skl2onnx: zipmap off)."
    )


def _checked(found: Floats) -> Floats:
    sums = found.sum(axis=1)
    is_fit = np.isfinite(found).all() and found.min(initial=0) > -_CLOSE
    if not is_fit or np.abs(sums - 1).max(initial=0) > _CLOSE:
        raise EngineError(
            "The answers of model.onnx are not probabilities that sum to 1; end it "
            "with a softmax or sigmoid."
        )
    return np.clip(found, 0, 1)


def _is_numbers(answer: Any) -> bool:
    return isinstance(answer, np.ndarray) and np.issubdtype(answer.dtype, np.floating)
