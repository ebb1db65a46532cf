from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.access.checks import ensure
from apps.access.permissions import Permission
from apps.audit import actions, desk, rules
from apps.audit.body import time_text
from apps.audit.forms import WhatCouldForm, WhoCouldForm
from apps.audit.queries import AuditFilter
from apps.audit.standing import what_could, who_could
from apps.audit.words import id_in, subjects_named
from apps.core.http import HtmxRequest

if TYPE_CHECKING:
    from apps.accounts.models import User


@login_required
@require_GET
def standing(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_see_standing(request.user))
    who = WhoCouldForm(
        request.GET if "permission" in request.GET else None,
        projects=desk.projects_of(request.user),
    )
    what = WhatCouldForm(request.GET if "person" in request.GET else None)
    people = desk.people_known_to(request.user, "")
    context = {"who_form": who, "what_form": what, "people": people}
    context |= _who(who, request.user) | _what(what, request.user)
    invalid = who.errors or what.errors
    return render(
        request, "audit/standing.html", context, status=422 if invalid else 200
    )


def _who(form: WhoCouldForm, by: User) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    permission = Permission(form.cleaned_data["permission"])
    at, project = form.cleaned_data["at"], form.cleaned_data["project"]
    asked = {"permission": str(permission), "at": time_text(at), "project": project}
    actions.record_view(what={"who_could": asked}, by=by)
    return {
        "permission": permission,
        "at": at,
        "project_name": dict(form.fields["project"].choices)[project],  # type: ignore[attr-defined]  # it is a ChoiceField
        "holdings": who_could(permission, at, id_in(project)),
    }


def _what(form: WhatCouldForm, by: User) -> dict[str, Any]:
    if form.is_valid():
        person, at = form.cleaned_data["person"], form.cleaned_data["at"]
        with form.taking_faults():
            held = what_could(subjects_named(person), at)
            asked = {**AuditFilter(person=person).recorded, "at": time_text(at)}
            actions.record_view(what={"what_could": asked}, by=by)
            return {"held": held, "at": at, "person": person}
    return {}
