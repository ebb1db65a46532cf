"""Approval policies: what is in force, writing the next version, and rehearsing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.approvals import actions, policy_book, rules
from apps.approvals.forms_policies import EnactForm, PolicyForm
from apps.approvals.models import PolicyVersion
from apps.approvals.policies import (
    AnyPolicy,
    PolicyFault,
    PolicyFaulty,
    read_policy,
)
from apps.approvals.policy_book import InForce, differences
from apps.approvals.rehearsal import rehearse
from apps.core.errors import Invalid
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page


@login_required
@require_GET
def policies(request: HtmxRequest) -> HttpResponse:
    context = {"policies": [_seen(found) for found in policy_book.all_in_force()]}
    return render(request, "approvals/policies.html", context)


@login_required
@require_GET
def policy(request: HtmxRequest, name: str) -> HttpResponse:
    found = _in_force(name)
    versions = policy_book.versions_of(name)
    context = {
        **_seen(found),
        "page": keyset_page(versions, after=request.GET.get("after")),
        "may_write": rules.can_write_policy(request.user),
        "next_number": policy_book.next_number(name),
    }
    return render(request, "approvals/policy.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def write_policy(request: HtmxRequest, name: str) -> HttpResponse:
    ensure(rules.can_write_policy(request.user))
    found = _in_force(name)
    number = policy_book.next_number(name)
    text = policy_book.renumbered(_begin(request, found), number)
    form = PolicyForm(request.POST or None, initial={"text": text})
    if form.is_valid():
        with form.taking_faults():
            written = actions.write_policy(
                name=name, **form.cleaned_data, by=request.user
            )
            messages.success(request, "Kept. It applies to nothing until put in force.")
            return redirect_after_success(request, written)
    context = {
        **_seen(found),
        "form": form,
        "title": f"Write version {number} of {name}",
        "check": _check(name, form["text"].value(), found),
    }
    return render_form(request, "approvals/policy_form.html", context)


@login_required
@require_POST
def check_policy(request: HtmxRequest, name: str) -> HttpResponse:
    """Say what is wrong with a text while it is written, or what it means."""
    ensure(rules.can_write_policy(request.user))
    found = _in_force(name)
    context = _check(name, request.POST.get("text", ""), found)
    return render(request, "approvals/_policy_check.html", {"check": context})


@login_required
@require_http_methods(["GET", "POST"])
def policy_version(request: HtmxRequest, name: str, number: int) -> HttpResponse:
    """Show a version, and put it in force."""
    version, found = _version(request, name, number), _in_force(name)
    form = EnactForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form.taking_faults():
            actions.enact_policy(version=version, **form.cleaned_data, by=request.user)
            messages.success(request, "In force for every request from now on.")
            return redirect_after_success(request, version)
    context = {
        "version": version,
        "found": found,
        "check": _check_text(version.text, found),
        "enactments": version.enactments.select_related("enacted_by").order_by("-pk"),
        "may_enact": rules.can_enact_policy(request.user, version, found),
        "may_write": rules.can_write_policy(request.user),
        "form": form,
    }
    return render_form(request, "approvals/policy_version.html", context)


@login_required
@require_GET
def rehearse_policy(request: HtmxRequest, name: str, number: int) -> HttpResponse:
    version = _version(request, name, number)
    read = policy_book.rehearsable(version.text)
    found = rehearse(read, viewer=request.user, after=request.GET.get("after"))
    context = {"version": version, "policy": read, "rehearsal": found}
    return render(request, "approvals/policy_rehearsal.html", context)


def _in_force(name: str) -> InForce:
    try:
        return policy_book.in_force(name)
    except KeyError as error:
        raise Http404 from error


def _version(request: HtmxRequest, name: str, number: int) -> PolicyVersion:
    visible = PolicyVersion.objects.visible_to(request.user)
    found = visible.select_related("written_by")
    return get_object_or_404(found, name=name, number=number)


def _seen(found: InForce) -> dict[str, Any]:
    policy, faults = _read(found.text)
    return {"found": found, "policy": policy, "faults": faults}


def _read(text: str) -> tuple[AnyPolicy | None, list[PolicyFault]]:
    try:
        return read_policy(text), []
    except PolicyFaulty as error:
        return None, error.faults


def _check_text(text: str, found: InForce) -> dict[str, Any]:
    policy, faults = _read(text)
    return {
        "policy": policy,
        "faults": [str(fault) for fault in faults],
        "differences": differences(found.text, text),
    }


def _check(name: str, text: str, found: InForce) -> dict[str, Any]:
    """Check a text that shall be the next version: its name and number count, too."""
    check = _check_text(text, found)
    if check["policy"]:
        try:
            policy_book.checked_policy(name, text)
        except Invalid as error:
            check["faults"] = [error.message]
    return check


def _begin(request: HtmxRequest, found: InForce) -> str:
    """Give the text that a new version begins with: the one in force, or an older."""
    number = request.GET.get("from", "")
    if not (number.isdecimal() and number.isascii() and len(number) < 9):  # noqa: PLR2004  # digits that the column takes
        return found.text
    return _version(request, found.name, int(number)).text
