"""Reads about waivers: what waits to be reported, what ends, who took part in a use."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.access.roles import AI_OFFICIAL
from apps.accounts.models import User
from apps.approvals.models import ENDING_DAYS, EmergencyApproval, Waiver
from apps.approvals.practices import framework, practices
from apps.approvals.standings import STATE_LABELS
from apps.registry.models import ModelVersion
from apps.validation.makers import LOGGED_FILES, MAKING, logging_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apps.approvals.models import PracticeStatement
    from apps.approvals.models.waivers import WaiverQuerySet
    from apps.projects.models import Project


def part_in_use(project: Project, user: User) -> str:
    """Say what `user` did in the making of any version of `project`; or nothing."""
    versions = ModelVersion.objects.filter(model__project=project)
    for part in MAKING:
        if versions.filter(**{part.who: user}).exists():
            return part.did.replace(" its ", " a model's ").replace(" it", " a model")
    logged = logging_to(*map(OuterRef, ("run_id", "logged_model_id", "created_at")))
    if versions.filter(Exists(logged.filter(actor_id=user.pk))).exists():
        return LOGGED_FILES.replace(" it", " a model")
    return ""


def ai_officials() -> list[User]:
    """List the AI officials who can sign in."""
    return holding(AI_OFFICIAL.slug)


def holding(role: str) -> list[User]:
    """List the people who hold an agency role and can sign in, by name."""
    found = User.objects.people().filter(is_active=True, agency_roles__contains=[role])
    return list(found.order_by("full_name", "pk"))


def waiver_counts(waivers: WaiverQuerySet) -> dict[str, int]:
    """Count of `waivers` those active, ending soon, to be reported, and overdue."""
    unreported = list(waivers.to_report().with_story())
    return {
        "active": waivers.active().count(),
        "ending_soon": waivers.ending_soon().count(),
        "to_report": len(unreported),
        "overdue": sum(
            any(duty.is_overdue for duty in waiver.duties) for waiver in unreported
        ),
    }


def to_remind() -> QuerySet[Waiver]:
    """Find the waivers of which somebody may have to be told something."""
    recent = Q(revocation=None) | Q(pk__in=Waiver.objects.to_report().values("pk"))
    return Waiver.objects.with_story().filter(recent).order_by("pk")


def public_rows(waivers: Iterable[Waiver]) -> list[dict[str, Any]]:
    """Give what the public reads of each waiver, one row per waived practice.

    Args:
        waivers: with their stories.
    """
    known, answer = practices(), framework().waived
    return [
        {
            "use_case": waiver.project.name,
            "practice": known[slug].title,
            "answer": answer,
            "ground": waiver.get_ground_display(),
            "justification": waiver.public_summary,
            "granted_on": timezone.localdate(waiver.signed_at).isoformat(),
            "expires_on": waiver.expires_on.isoformat(),
        }
        for waiver in waivers
        for slug in waiver.practices
    ]


def exceptions_in_force(person: User) -> list[str]:
    """Say which exceptions a person stands for with their name, in sentences."""
    active = Waiver.objects.active().filter(signer=person).select_related("project")
    standing = EmergencyApproval.objects.in_force().filter(signatures__signer=person)
    joined = standing.select_related("version__model__project").distinct()
    return [f"The {one} that they signed is in force." for one in (*active, *joined)]


def waiver_figures(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Give the counts of waivers as large numbers for a page."""
    return [
        {"label": "Active", "value": counts["active"], "kind": "info"},
        {
            "label": f"Ending within {ENDING_DAYS} days",
            "value": counts["ending_soon"],
            "kind": "warning" if counts["ending_soon"] else "neutral",
        },
        {
            "label": "To be reported to OMB",
            "value": counts["to_report"],
            "kind": "warning" if counts["to_report"] else "neutral",
        },
        {
            "label": "Reports overdue",
            "value": counts["overdue"],
            "kind": "error" if counts["overdue"] else "neutral",
        },
    ]


def with_practice_names(
    statements: Iterable[PracticeStatement],
) -> list[tuple[str, PracticeStatement]]:
    """Pair statements with the official names of their practices."""
    known = practices()
    return [
        (known[one.practice].title if one.practice in known else one.practice, one)
        for one in statements
    ]


def sealed_rows(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give for people what sealed evidence says of practices; two queries.

    Args:
        evidence: of a request; one without practices gives no rows.
    """
    part = evidence.get("practices")
    if not part:
        return []
    listed, known = part["practices"], practices()
    writers = {one["written_by_id"] for one in listed if "written_by_id" in one}
    people = {str(one.pk): one for one in User.objects.filter(pk__in=writers)}
    waived = [one["waiver"] for one in listed if "waiver" in one]
    waivers = {str(one.pk): one for one in Waiver.objects.filter(pk__in=waived)}
    return [
        {
            "title": known[one["practice"]].title,
            "state": one["state"],
            "label": STATE_LABELS[one["state"]],
            "text": one.get("text", ""),
            "links": one.get("links", []),
            "due_on": one.get("due_on"),
            "written_by": people.get(one.get("written_by_id", "")),
            "written_at": _moment(one.get("written_at")),
            "waiver": waivers.get(one.get("waiver", "")),
        }
        for one in listed
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
