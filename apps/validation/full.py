"""The full technical report as titled sections, for files that need no portal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.html import escape

from apps.core.drawings import svg
from apps.core.templatetags.portal import number, ratio
from apps.validation import reading, report_figures
from apps.validation.brief import moment
from apps.validation.families import family_sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from apps.core.figures import Figure
    from apps.validation.around import Around
    from apps.validation.document import Told

Json = dict[str, Any]
LEFT_OUT = "Left out here, so that this file stays small; the JSON file has it all."
_CELL_BYTES = 40  # markup around a cell


@dataclass(frozen=True)
class Section:
    """One part of the report.

    Attributes:
        tables: each with `title`, `columns` and `rows` of texts.
        not_tested: why nothing stands here.
    """

    slug: str
    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Json] = ()
    figures: Sequence[Figure] = field(default_factory=list)
    not_tested: str = ""


def sections(told: Told, around: Around) -> list[Section]:
    """List every part of the report in the order in which it is read."""
    cost = [report_figures.cost_comparison(told), report_figures.cost_curve(told)]
    importance = report_figures.importance(told)
    quality = Section(
        "quality",
        "How good is it?",
        tables=[_measures(told)],
        figures=[one for one in cost if one] + report_figures.quality(told),
    )
    found = [_decision(told), quality, *_subgroups(told)]
    if importance:
        title = "What does it look at?"
        found.append(Section("explained", title, figures=[importance]))
    found.extend(_family(one) for one in family_sections(told, every=True))
    found += [_champion(told), _findings(around), _evidence(told, around)]
    return found


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Json:
    return {"title": title, "columns": list(columns), "rows": _texts(rows)}


def _texts(rows: Iterable[Sequence[Any]]) -> list[list[str]]:
    return [["–" if v is None else str(number(v)) for v in row] for row in rows]


def _joined(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval not in ("", "–") else value


def _decision(told: Told) -> Section:
    banner = reading.banner(told)
    raw = sorted(told.result["checks"], key=lambda check: not check["blocking"])
    rows = [
        (
            f"{row['title']} ({row['duty'].lower()})",
            f"{row['verdict']}. {row['note']}".rstrip(". ") + ".",
            _joined(row["value"], row["interval"]),
            row["required"],
            str(check.get("digest", ""))[:16] or "–",
        )
        for row, check in zip(reading.check_rows(told), raw, strict=True)
    ]
    measured = f"Measured ({reading.interval_name(told)})"
    head = ("Criterion", "Verdict", measured, "Required", "Evidence, SHA-256")
    return Section(
        "decision",
        "Does it meet the plan?",
        sentences=[f"{banner['title']}. {banner['sentence']}", *banner["notes"]],
        tables=[_table("Criteria and what became of them", head, rows)],
    )


def _measures(told: Told) -> Json:
    rows = [
        (row["title"], row["value"], row["interval"])
        for row in reading.measure_rows(told)
    ]
    head = ("Measure", "Value", reading.interval_name(told).capitalize())
    return _table("All measures", head, rows)


def _subgroups(told: Told) -> Iterator[Section]:
    groups = reading.group_tables(told)
    if not groups:
        return
    least = told.spec["min_group_size"]
    yield Section(
        "subgroups",
        "Does it serve every group?",
        sentences=[
            f"By {one['column']}, {one['small_count']} of {len(one['rows'])} groups "
            f"have fewer than {least} rows: too few to conclude anything from."
            for one in groups
            if one["small_count"]
        ],
        tables=[_group_table(one) for one in groups],
        figures=report_figures.subgroups(told),
    )


def _group_table(one: Json) -> Json:
    rows = [
        (
            row["group"] + (" (too few rows)" if row["is_small"] else ""),
            row["rows"],
            *(_joined(cell["value"], cell["interval"]) for cell in row["cells"]),
        )
        for row in one["rows"]
    ]
    head = (one["column"], "Rows", *one["measures"])
    return _table(f"All measures by {one['column']}", head, rows)


def _family(one: Json) -> Section:
    figures = [(f["title"], f["value"], f["interval"]) for f in one["figures"]]
    head = ("Figure", "Value", "Interval")
    tables = [_table(one["title"], head, figures)] if figures else []
    return Section(
        f"family-{one['slug']}",
        one["title"],
        sentences=[one["summary"]] if one["summary"] else [],
        tables=[*tables, *one["tables"]],
        figures=one["curves"],
        not_tested=one["not_tested"],
    )


def _champion(told: Told) -> Section:
    title, champion = "Is it better than the champion?", told.head["champion"]
    rows = [
        (
            row["title"],
            row["value"],
            row["champion_value"],
            _joined(row["difference"], row["interval"]),
            row["reading"],
        )
        for row in reading.champion_rows(told)
    ]
    if champion is None or not rows:
        why = "There was no other champion that answers the same question."
        return Section("champion", title, not_tested=why)
    sentences = [f"The champion is version {champion['number']}."]
    if champion["saw_other_rows"]:
        sentences.append(
            "It was trained with another split or other data and may have learned from "
            "some of these rows, which would flatter it."
        )
    difference = f"Difference ({reading.interval_name(told)})"
    head = ("Measure", "This version", "Champion", difference, "Reading")
    table = _table("Comparison with the champion", head, rows)
    return Section("champion", title, sentences=sentences, tables=[table])


def _findings(around: Around) -> Section:
    title = "What is held against it?"
    if not around.findings:
        said = f"Nobody held anything against this version on {moment(around)}."
        return Section("findings", title, sentences=[said])
    rows = [
        (
            f"{one.number}. {one.title}",
            one.get_severity_display(),
            one.get_state_display(),
            one.owner.full_name,
            one.due_on.isoformat() if one.due_on else None,
        )
        for one in around.findings
    ]
    head = ("Finding", "Severity", "State", "Answered for by", "Due")
    table = _table(f"Unsettled findings on {moment(around)}", head, rows)
    return Section("findings", title, tables=[table])


def _evidence(told: Told, around: Around) -> Section:
    report, version, plan = (told.head[k] for k in ("report", "version", "plan"))
    cost, look = told.spec.get("cost"), report["look"]
    rows = [
        ("Project", f"{around.project} ({version['project']})"),
        ("Model version", told.title),
        ("Digest of its files", version["manifest_digest"]),
        ("Data", around.data),
        ("SHA-256 of the data", version["data_sha256"]),
        ("Sealed look", f"{look['number']} of {look['allowed']}" if look else None),
        ("Plan", f"Plan {plan['number']}, written by {around.written_by}"),
        ("Cost of a false alarm", _cost(told, cost, "false_alarm")),
        ("Cost of a miss", _cost(told, cost, "miss")),
        ("Threshold", told.result.get("threshold")),
        ("Intervals", _resampling(told)),
        ("Asked for", f"{around.requested_by}, {report['requested_at']}"),
        ("Finished", report["finished_at"]),
        ("Digest of the result", told.head["result_digest"]),
        ("Digest of this report", told.digest),
        ("Names and purpose as of", moment(around)),
    ]
    stated = [row for row in rows if row[1] is not None]
    table = _table("What this rests on", ("What", "Which"), stated)
    said = (
        "The digest of this report covers all that was measured and what it rests on. "
        "It does not cover names of people, purpose and findings, which may change."
    )
    title = "What does this rest on?"
    return Section("evidence", title, sentences=[said], tables=[table])


def _resampling(told: Told) -> str:
    spec = told.spec
    confidence, draws = ratio(spec["confidence"], 0), number(spec["resamples"])
    return f"{confidence}, from {draws} resamples with seed {spec['seed']}"


def _cost(told: Told, cost: Json | None, key: str) -> str | None:
    return f"{number(cost[key])} {told.cost_unit}" if cost else None


class _Room:
    """How many bytes of markup may still be written."""

    def __init__(self, most_bytes: int) -> None:
        self.left = most_bytes

    def take(self, *texts: str) -> bool:
        """Say whether the texts still fit, and count them when they do."""
        size = sum(len(escape(text).encode()) + _CELL_BYTES for text in texts)
        if size > self.left:
            return False
        self.left -= size
        return True


def bounded(
    found: Iterable[Section], *, most_bytes: int, most_rows: int, font: str
) -> list[Json]:
    """Draw sections so that they take at most `most_bytes` of markup.

    Args:
        found: of `sections`.
        most_bytes: for all texts and drawings; what is beyond is left out and said.
        most_rows: of any table.
        font: of texts in drawings.

    Returns:
        `slug`, `title`, `sentences`, `not_tested`, `tables` (with `more`, the number
        of rows left out) and `figures` (`id`, `title`, `summary`, `svg`, `table`).
    """
    room = _Room(most_bytes)
    return [_drawn(section, room, most_rows, font) for section in found]


def _drawn(section: Section, room: _Room, most_rows: int, font: str) -> Json:
    sentences = [text for text in section.sentences if room.take(text)]
    tables = [_cut(one, room, most_rows) for one in section.tables]
    figures = [_figure(one, room, most_rows, font) for one in section.figures]
    kept_figures = [one for one in figures if one]
    kept_tables = [one for one in tables if one]
    lost = len(kept_figures) < len(figures) or len(kept_tables) < len(tables)
    return {
        "slug": section.slug,
        "title": section.title,
        "sentences": sentences + [LEFT_OUT] * lost,
        "not_tested": section.not_tested,
        "tables": kept_tables,
        "figures": kept_figures,
    }


def _cut(table: Json, room: _Room, most_rows: int) -> Json | None:
    if not room.take(table["title"], *table["columns"]):
        return None
    kept: list[list[str]] = []
    for row in table["rows"][:most_rows]:
        if not room.take(*row):
            break
        kept.append(row)
    return table | {"rows": kept, "more": len(table["rows"]) - len(kept)}


def _figure(figure: Figure, room: _Room, most_rows: int, font: str) -> Json | None:
    drawing = svg(figure, font=font)
    if len(drawing.encode()) > room.left or not room.take(
        figure["title"], figure["summary"]
    ):
        return None
    room.left -= len(drawing.encode())
    numbers = _table(
        figure["title"], figure["table"]["columns"], figure["table"]["rows"]
    )
    return {
        "id": figure["id"],
        "title": figure["title"],
        "summary": figure["summary"],
        "svg": drawing,
        "table": _cut(numbers, room, most_rows),
    }
