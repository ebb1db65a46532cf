"""The part of a page that says who sees a thing, and the addresses of its buttons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_POST

from apps.access.checks import ensure
from apps.core.http import redirect_after_success
from apps.projects import actions, queries, rules
from apps.projects.forms import GrantForm

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from django.urls import URLPattern

    from apps.accounts.models import User
    from apps.core.http import HtmxRequest
    from apps.projects.models import Restrictable


def access_panel(user: User, thing: Restrictable) -> dict[str, Any]:
    return {
        "thing": thing,
        "people": rules.grants_of(user, thing),
        "may_restrict": rules.can_restrict(user, thing),
        "may_open": rules.can_open_to_members(user, thing),
        "may_grant": rules.can_grant(user, thing),
    }


@dataclass(frozen=True)
class AccessViews:
    """The four views of one kind of restrictable thing.

    Args:
        find: takes request and address, gives the thing if it is visible.
        page: draws the page of the thing with this form in its panel.
    """

    find: Callable[..., Any]
    page: Callable[[HtmxRequest, Any, GrantForm], HttpResponse]

    def restrict(self, request: HtmxRequest, **address: Any) -> HttpResponse:
        thing = self.find(request, **address)
        actions.restrict(thing=thing, by=request.user)
        return redirect_after_success(request, thing)

    def open(self, request: HtmxRequest, **address: Any) -> HttpResponse:
        thing = self.find(request, **address)
        actions.open_to_members(thing=thing, by=request.user)
        return redirect_after_success(request, thing)

    def grant(self, request: HtmxRequest, **address: Any) -> HttpResponse:
        thing = self.find(request, **address)
        ensure(rules.can_grant(request.user, thing))
        form = GrantForm(request.POST, sharing=thing.sharing)
        if form.is_valid():
            with form.taking_faults():
                person = queries.person_by_email(form.cleaned_data["email"])
                actions.grant(thing=thing, person=person, by=request.user)
                return redirect_after_success(request, thing)
        return self.page(request, thing, form)

    def revoke(
        self, request: HtmxRequest, person_pk: UUID, **address: Any
    ) -> HttpResponse:
        thing = self.find(request, **address)
        person = get_object_or_404(queries.granted_people(thing), pk=person_pk)
        actions.revoke_grant(thing=thing, person=person, by=request.user)
        return redirect_after_success(request, thing)

    def urls(self, address: str, noun: str) -> list[URLPattern]:
        """List the addresses, all below that of the thing."""

        def post(end: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(address + end, login_required(require_POST(view)), name=name)

        return [
            post("restrict/", self.restrict, f"restrict_{noun}"),
            post("open/", self.open, f"open_{noun}"),
            post("grant/", self.grant, f"grant_{noun}"),
            post(
                "grants/<uuid:person_pk>/revoke/", self.revoke, f"revoke_{noun}_grant"
            ),
        ]
