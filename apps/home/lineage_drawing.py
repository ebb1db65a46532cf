"""Where everything of a lineage graph stands in its drawing, in units of the SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from apps.home.lineage import COLUMNS

if TYPE_CHECKING:
    from apps.home.lineage import Graph, Node

WIDTH, HEIGHT = 220, 56
ACROSS, DOWN = 72, 14
HEAD, MARGIN = 34, 4
_LONGEST_TITLE: Final = 26
_LONGEST_DETAIL: Final = 30
_TAIL: Final = 11  # as long as ", version 1"


@dataclass(frozen=True)
class Box:
    """A node at its place; `x` and `y` are those of its upper left corner."""

    node: Node
    x: int
    y: int

    @property
    def title(self) -> str:
        """As much of the title as the box holds."""
        return _shortened(self.node.title, _LONGEST_TITLE)

    @property
    def detail(self) -> str:
        """As much of the detail as the box holds."""
        return _shortened(self.node.detail, _LONGEST_DETAIL)

    @property
    def text_x(self) -> int:
        """Where text begins."""
        return self.x + 14

    @property
    def title_y(self) -> int:
        """The base line of the title: in the middle where nothing is below it."""
        return self.y + (24 if self.node.detail else 33)

    @property
    def detail_y(self) -> int:
        """The base line of the detail."""
        return self.y + 44


@dataclass(frozen=True)
class Drawing:
    """What a template draws.

    Attributes:
        heads: title and left edge of each column.
        lines: an SVG path for each edge.
    """

    width: int
    height: int
    heads: list[tuple[str, int]]
    boxes: list[Box]
    lines: list[str]


def drawing(graph: Graph) -> Drawing:
    """Place the nodes of each column beneath one another, near what they came from."""
    boxes: dict[str, Box] = {}
    heads: list[tuple[str, int]] = []
    longest = 1
    for title, nodes in _filled_columns(graph):
        x = MARGIN + len(heads) * (WIDTH + ACROSS)
        heads.append((title, x))
        longest = max(longest, len(nodes))
        for place, node in enumerate(_near_sources(graph, nodes, boxes)):
            boxes[node.key] = Box(node, x, HEAD + place * (HEIGHT + DOWN))
    return Drawing(
        width=len(heads) * (WIDTH + ACROSS) - ACROSS + 2 * MARGIN,
        height=HEAD + longest * (HEIGHT + DOWN),
        heads=heads,
        boxes=list(boxes.values()),
        lines=[_line(boxes[source], boxes[target]) for source, target in graph.edges],
    )


def _filled_columns(graph: Graph) -> list[tuple[str, list[Node]]]:
    columns = [(title, graph.column(kind)) for kind, title in COLUMNS.items()]
    return [(title, nodes) for title, nodes in columns if nodes]


def _near_sources(graph: Graph, nodes: list[Node], boxes: dict[str, Box]) -> list[Node]:
    heights = {
        target: boxes[source].y for source, target in graph.edges if source in boxes
    }
    return sorted(nodes, key=lambda node: heights.get(node.key, 0))


def _line(source: Box, target: Box) -> str:
    left, right = source.x + WIDTH, target.x
    above, below = source.y + HEIGHT // 2, target.y + HEIGHT // 2
    middle = (left + right) // 2
    return f"M {left} {above} C {middle} {above} {middle} {below} {right} {below}"


def _shortened(text: str, longest: int) -> str:
    """Leave the middle out, since names often differ at their end."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - _TAIL - 1].rstrip()}…{text[-_TAIL:]}"
