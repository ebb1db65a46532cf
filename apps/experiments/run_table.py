"""A table of runs as an address asks for it: filtered, sorted, folded, with columns."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models.functions import Left
from django.http import QueryDict

from apps.experiments.models import Run, RunTag
from apps.experiments.run_columns import (
    Column,
    cells_of,
    load_values,
    plain_cell,
)
from apps.experiments.run_keys import known_keys, newest_runs
from apps.experiments.search.conditions import INDEXED
from apps.experiments.search.nodes import Entity, Key, SearchError
from apps.experiments.search.parser import parse_filter, parse_order
from apps.experiments.search.runs import PARENT, RunSearch, search_runs
from apps.experiments.search.view import View, view_condition
from apps.experiments.search.vocabulary import RUNS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from apps.accounts.models import User
    from apps.experiments.search.nodes import Order

RUNS_ON_A_PAGE = 50
MOST_ROWS = 10_000
MOST_NESTED = 200
MOST_ORDERS = 3
MOST_OPEN = 20
VIEWS = [(View.ACTIVE, "Active"), (View.DELETED, "Put aside"), (View.ALL, "Both")]
_RUN = Key(Entity.ATTRIBUTE, "run_name")


@dataclass(frozen=True)
class Asked:
    """What an address asks of a table of runs.

    Args:
        filter: in the grammar of searches.
        order_by: in that grammar, what counts most first.
        view: active runs, those put aside, or both.
        columns: keys as they stand in filters; empty for those of before.
        nested: show runs under those that started them.
        open: ids of runs whose nested ones are shown.
        token: where the page starts.
        experiments: only runs of these, where a table spans several.
        chosen: ids of runs to compare or to change.
    """

    filter: str = ""
    order_by: tuple[str, ...] = ()
    view: View = View.ACTIVE
    columns: tuple[str, ...] = ()
    nested: bool = False
    open: tuple[str, ...] = ()
    token: str = ""
    experiments: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> Asked:
        """Read a query; an unknown view is that of active runs."""
        view = query.get("view", "")
        return cls(
            filter=query.get("filter", "").strip(),
            order_by=tuple(query.getlist("order_by")[:MOST_ORDERS]),
            view=View(view) if view in set(View) else View.ACTIVE,
            columns=tuple(query.getlist("column")),
            nested=query.get("nested") == "1",
            open=tuple(query.getlist("open")[:MOST_OPEN]),
            token=query.get("token", ""),
            experiments=tuple(query.getlist("experiment")),
            chosen=tuple(dict.fromkeys(query.getlist("run"))),
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Give the query as names and values; what is as always is left out."""
        single = {
            "filter": self.filter,
            "view": "" if self.view is View.ACTIVE else self.view.value,
            "nested": "1" if self.nested else "",
            "token": self.token,
        }
        many = {
            "order_by": self.order_by,
            "column": self.columns,
            "open": self.open,
            "experiment": self.experiments,
            "run": self.chosen,
        }
        pairs = [(name, value) for name, value in single.items() if value]
        return pairs + [(name, one) for name, some in many.items() for one in some]

    def query(self, **changes: Any) -> str:
        """Write the query, with some of it changed, after a question mark."""
        written = QueryDict(mutable=True)
        for name, value in replace(self, **changes).pairs():
            written.appendlist(name, value)
        return f"?{written.urlencode()}"


@dataclass(frozen=True)
class Fault:
    """Why a search cannot be read, and the text parted where it goes wrong."""

    message: str
    place: int = 0
    before: str = ""
    after: str = ""


@dataclass
class Line:
    """One row.

    Args:
        run: with who recorded it and its experiment.
        cells: one for each column.
        nested: how many runs it started; 0 where they are not counted.
        depth: 1 for a run that stands under the one which started it, and so on.
        toggle: the query that shows or hides the nested ones.
    """

    run: Run
    cells: list[tuple[str, Any]] = field(default_factory=list)
    nested: int = 0
    depth: int = 0
    is_open: bool = False
    toggle: str = ""


@dataclass(frozen=True)
class Heading:
    """The head of a column.

    Args:
        column: what stands in it.
        order: what to sort by when it is pressed; empty when it cannot be.
        sorted: `ascending`, `descending` or nothing, as screen readers are told.
    """

    column: Column
    order: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Table:
    """A page of runs.

    Args:
        headings: one for each column.
        lines: the rows.
        next: token of the next page, empty at the end.
    """

    name: Heading
    headings: list[Heading]
    lines: list[Line]
    next: str = ""


def fault_of(asked: Asked) -> Fault | None:
    """Say what cannot be read of a filter or an order."""
    try:
        parse_filter(asked.filter, RUNS)
    except SearchError as error:
        text, place = asked.filter, error.place
        return Fault(error.message, place + 1, text[:place], text[place:])
    try:
        parse_order(asked.order_by, RUNS)
    except SearchError as error:
        return Fault(error.message)
    return None


def found_runs(
    user: User, experiments: Collection[UUID], asked: Asked, size: int
) -> tuple[list[Run], str]:
    """Search for the runs of one page.

    Raises:
        SearchError: filter, order or token cannot be read.
    """
    search = RunSearch(
        experiments=experiments,
        filter=asked.filter,
        order_by=asked.order_by,
        view=asked.view,
        folded=asked.nested,
    )
    ids, token = search_runs(user=user, search=search, token=asked.token, size=size)
    return _loaded(ids), token


def _loaded(ids: Sequence[UUID]) -> list[Run]:
    """Read runs with what their rows tell, in one query and in the order of `ids`."""
    rows = Run.objects.select_related("recorded_by", "experiment").defer("summary")
    runs = rows.in_bulk(ids)
    return [runs[one] for one in ids if one in runs]


def keys_of(user: User, experiments: Collection[UUID]) -> dict[Entity, list[str]]:
    """Name what the newest runs of some experiments logged."""
    visible = Run.objects.visible_to(user).filter(experiment__in=experiments)
    return known_keys(newest_runs(visible))


def table_of(
    user: User, experiments: Collection[UUID], asked: Asked, columns: Sequence[Column]
) -> Table:
    """Read a page of the table.

    Raises:
        SearchError: filter, order or token cannot be read.
    """
    runs, token = found_runs(user, experiments, asked, RUNS_ON_A_PAGE)
    lines = [Line(run) for run in runs]
    if asked.nested:
        lines = _with_nested(user, experiments, lines, asked)
    _fill(lines, columns)
    orders = parse_order(asked.order_by, RUNS)
    return Table(
        _heading_of_names(orders),
        [_heading(column, orders) for column in columns],
        lines,
        token,
    )


def _fill(lines: Sequence[Line], columns: Sequence[Column]) -> None:
    runs = [line.run for line in lines]
    values = load_values([run.pk for run in runs], columns)
    for column in columns:
        cells = cells_of(column, runs, values)
        for line, cell in zip(lines, cells, strict=True):
            line.cells.append((column.kind, cell))


def _heading(column: Column, orders: Sequence[Order]) -> Heading:
    if not column.is_sortable:
        return Heading(column)
    first = orders[0] if orders else None
    if first is None or first.key != column.key:
        # The largest or the newest is what people look for first.
        return Heading(column, f"{column.text} DESC")
    if first.descending:
        return Heading(column, f"{column.text} ASC", "descending")
    return Heading(column, f"{column.text} DESC", "ascending")


def _heading_of_names(orders: Sequence[Order]) -> Heading:
    first = orders[0] if orders and orders[0].key == _RUN else None
    column = Column(_RUN, "Run")
    if first and not first.descending:
        return Heading(column, "run_name DESC", "ascending")
    return Heading(column, "run_name ASC", "descending" if first else "")


def _with_nested(
    user: User, experiments: Collection[UUID], lines: Sequence[Line], asked: Asked
) -> list[Line]:
    """Put the nested runs of those that are open below them, and so on."""
    below: dict[UUID, list[Line]] = {}
    level = list(lines)
    while level:
        counted = _children(user, experiments, [line.run for line in level], asked)
        for line in level:
            name = line.run.pk.hex
            line.nested, line.is_open = len(counted[name]), name in asked.open
            others = tuple(one for one in asked.open if one != name)
            line.toggle = asked.query(open=others if line.is_open else (*others, name))
        opened = [line for line in level if line.is_open]
        wanted = [child for line in opened for child in counted[line.run.pk.hex]]
        loaded = {run.pk: run for run in _loaded(wanted[:MOST_NESTED])}
        for line in opened:
            below[line.run.pk] = [
                Line(loaded[child], depth=line.depth + 1)
                for child in counted[line.run.pk.hex]
                if child in loaded
            ]
        level = [child for line in opened for child in below[line.run.pk]]
    return list(_in_order(lines, below))


def _in_order(
    lines: Sequence[Line], below: Mapping[UUID, Sequence[Line]]
) -> Iterator[Line]:
    for line in lines:
        yield line
        yield from _in_order(below.get(line.run.pk, ()), below)


def _children(
    user: User, experiments: Collection[UUID], parents: Sequence[Run], asked: Asked
) -> dict[str, list[UUID]]:
    """Find the runs that each of `parents` started, oldest first, in one query."""
    names = [run.pk.hex for run in parents]
    visible = Run.objects.visible_to(user).filter(
        view_condition(asked.view), experiment__in=experiments
    )
    # Written as the index of tags has it.
    tags = RunTag.objects.annotate(start=Left("value", INDEXED)).filter(
        key=PARENT.name, start__in=names, run__in=visible
    )
    found: dict[str, list[UUID]] = defaultdict(list)
    for name, run in tags.order_by("run__started_at", "run").values_list(
        "start", "run"
    ):
        if run.hex != name:
            found[name].append(run)
    return found


def spreadsheet(
    user: User, experiments: Collection[UUID], asked: Asked, columns: Sequence[Column]
) -> list[list[Any]]:
    """Give the rows that are asked for, up to `MOST_ROWS`, under a row of keys.

    Raises:
        SearchError: filter or order cannot be read.
    """
    whole = replace(asked, nested=False, token="")
    runs, _ = found_runs(user, experiments, whole, MOST_ROWS)
    values = load_values([run.pk for run in runs], columns)
    heads = ["run_id", "experiment", "run_name", *(column.text for column in columns)]
    rows: list[list[Any]] = [heads]
    for run in runs:
        cells = [_plain(plain_cell(column, run, values[run.pk])) for column in columns]
        rows.append([run.pk.hex, run.experiment.name, run.name, *cells])
    return rows


def _plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else cell
