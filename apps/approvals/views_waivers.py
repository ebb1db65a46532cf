"""Waivers of minimum practices: the list of them, and each with its story."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.approvals import actions, rules
from apps.approvals.actions.waivers import NewWaiver
from apps.approvals.exception_files import summary_answer
from apps.approvals.exception_forms import (
    RevokeWaiverForm,
    WaiverForm,
    WaiverReportForm,
    taking_signature_faults,
)
from apps.approvals.exception_queries import waiver_counts, waiver_figures
from apps.approvals.models import Reported, Waiver
from apps.approvals.practices import practices
from apps.audit.waiting import seal_sentence
from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.models import Project


@login_required
@require_GET
def waivers(request: HtmxRequest) -> HttpResponse:
    visible = Waiver.objects.visible_to(request.user)
    page = keyset_page(visible.with_story(), after=request.GET.get("after"))
    context = {
        "page": page,
        "figures": waiver_figures(waiver_counts(visible)),
    }
    return render(request, "approvals/waivers.html", context)


@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "POST"])
def project_waivers(request: HtmxRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    may_grant = rules.can_grant_waiver(request.user, project)
    form = WaiverForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        ensure(may_grant)
    if form.is_valid():
        with taking_signature_faults(request, form):
            said = form.cleaned_data
            password, _ = said.pop("password"), said.pop("intent")
            waiver = actions.grant_waiver(
                project=project,
                waiver=NewWaiver(**said),
                password=password,
                by=request.user,
            )
            messages.success(request, f"Granted. {seal_sentence()}")
            return redirect_after_success(request, waiver)
    visible = Waiver.objects.visible_to(request.user).filter(project=project)
    context = {
        "project": project,
        "page": keyset_page(visible.with_story(), after=request.GET.get("after")),
        "may_grant": may_grant,
        "form": form,
    }
    return render_form(request, "approvals/project_waivers.html", context)


@login_required
@require_GET
def waiver(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return render(request, "approvals/waiver.html", _page(request, _found(request, pk)))


@sensitive_post_parameters("password")
@login_required
@require_POST
def revoke_waiver(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)
    ensure(rules.can_revoke_waiver(request.user, found))
    form = RevokeWaiverForm(request.POST, auto_id="revoke_%s")
    if form.is_valid():
        with taking_signature_faults(request, form):
            actions.revoke_waiver(
                waiver=found,
                reason=form.cleaned_data["comment"],
                password=form.cleaned_data["password"],
                by=request.user,
            )
            messages.success(request, f"Revoked. {seal_sentence()}")
            return redirect_after_success(request, found)
    context = _page(request, found, revoke_form=form)
    return render(request, "approvals/waiver.html", context, status=422)


@login_required
@require_POST
def report_waiver(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)
    form = WaiverReportForm(request.POST)
    if form.is_valid():
        with form.taking_faults():
            actions.report_waiver(
                waiver=found,
                what=Reported(form.cleaned_data["what"]),
                reported_on=form.cleaned_data["reported_on"],
                reference=form.cleaned_data["reference"],
                by=request.user,
            )
            messages.success(request, "Recorded.")
            return redirect_after_success(request, found)
    context = _page(request, found, report_form=form)
    return render(request, "approvals/waiver.html", context, status=422)


@login_required
@require_GET
def public_summary(request: HtmxRequest, ending: str) -> HttpResponse:
    return summary_answer(Waiver.objects.visible_to(request.user), ending)


def _found(request: HtmxRequest, pk: UUID) -> Waiver:
    visible = Waiver.objects.visible_to(request.user).with_story()
    return get_object_or_404(visible, pk=pk)


def _page(request: HtmxRequest, found: Waiver, **bound: PortalForm) -> dict[str, Any]:
    """Gather what the page of a waiver shows; `bound` are forms that have faults."""
    open_duty = next((duty for duty in found.duties if duty.report is None), None)
    initial = {"what": open_duty.what if open_duty else ""}
    return {
        "waiver": found,
        "practices": [practices()[slug] for slug in found.practices],
        "may_revoke": rules.can_revoke_waiver(request.user, found),
        "open_duty": open_duty,
        "may_report": open_duty
        and rules.can_report_waiver(request.user, found, open_duty.what),
        "revoke_form": RevokeWaiverForm(auto_id="revoke_%s"),
        "report_form": WaiverReportForm(initial=initial),
        **bound,
    }
