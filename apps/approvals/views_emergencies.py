"""Emergency approvals: declaring, confirming and ending them, and their list."""

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
from apps.approvals.emergency_queries import unmet_practices
from apps.approvals.emergency_rules import confirmers
from apps.approvals.evidence import lines
from apps.approvals.exception_forms import (
    ConfirmForm,
    DeclareForm,
    taking_signature_faults,
)
from apps.approvals.forms import ReasonForm
from apps.approvals.models import EmergencyApproval
from apps.approvals.policy_book import emergency_policy
from apps.approvals.practices import practices
from apps.approvals.serving import serving_decision
from apps.approvals.views import request_title, request_trail
from apps.audit.waiting import seal_sentence
from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.models import Project
from apps.registry.models import ModelVersion
from apps.validation.queries import latest_report


@login_required
@require_GET
def emergencies(request: HtmxRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    visible = EmergencyApproval.objects.visible_to(request.user).with_story()
    page = keyset_page(
        visible.filter(version__model__project=project), after=request.GET.get("after")
    )
    context = {"project": project, "page": page}
    return render(request, "approvals/emergencies.html", context)


@sensitive_post_parameters("password")
@login_required
@require_http_methods(["GET", "POST"])
def declare_emergency(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    version = get_object_or_404(
        ModelVersion.objects.visible_to(request.user).select_related("model__project"),
        model__project__slug=slug,
        model__name=name,
        number=number,
    )
    ensure(rules.can_declare_emergency(request.user, version))
    terms = emergency_policy()
    form = DeclareForm(request.POST if request.method == "POST" else None, terms=terms)
    if form.is_valid():
        with taking_signature_faults(request, form):
            emergency = actions.declare_emergency(
                version=version,
                reason=form.cleaned_data["comment"],
                hours=form.cleaned_data["hours"],
                password=form.cleaned_data["password"],
                by=request.user,
            )
            messages.warning(request, f"It may serve now. {seal_sentence()}")
            return redirect_after_success(request, emergency)
    context = {
        "form": form,
        "version": version,
        "title": request_title(version),
        "trail": request_trail(version),
        "terms": terms,
        "report": latest_report(version),
        "unmet": unmet_practices(version),
    }
    return render_form(request, "approvals/declare_emergency.html", context)


@login_required
@require_GET
def emergency(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)
    return render(request, "approvals/emergency.html", _page(request, found))


@sensitive_post_parameters("password")
@login_required
@require_POST
def confirm_emergency(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)
    ensure(rules.can_confirm_emergency(request.user, found))
    form = ConfirmForm(request.POST, auto_id="confirm_%s")
    if form.is_valid():
        with taking_signature_faults(request, form):
            actions.confirm_emergency(
                emergency=found,
                comment=form.cleaned_data["comment"],
                password=form.cleaned_data["password"],
                by=request.user,
            )
            messages.success(request, f"Confirmed. {seal_sentence()}")
            return redirect_after_success(request, found)
    context = _page(request, found, confirm_form=form)
    return render(request, "approvals/emergency.html", context, status=422)


@sensitive_post_parameters("password")
@login_required
@require_POST
def end_emergency(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _found(request, pk)
    ensure(rules.can_end_emergency(request.user, found))
    form = ReasonForm(request.POST, auto_id="end_%s")
    if form.is_valid():
        with taking_signature_faults(request, form):
            actions.end_emergency(
                emergency=found,
                reason=form.cleaned_data["comment"],
                password=form.cleaned_data["password"],
                by=request.user,
            )
            messages.success(request, f"Ended. {seal_sentence()}")
            return redirect_after_success(request, found)
    context = _page(request, found, end_form=form)
    return render(request, "approvals/emergency.html", context, status=422)


def _found(request: HtmxRequest, pk: UUID) -> EmergencyApproval:
    visible = EmergencyApproval.objects.visible_to(request.user).with_story()
    return get_object_or_404(visible, pk=pk)


def _page(
    request: HtmxRequest, found: EmergencyApproval, **bound: PortalForm
) -> dict[str, Any]:
    """Gather what the page shows; `bound` are forms that have faults."""
    known = practices()
    return {
        "emergency": found,
        "title": request_title(found.version),
        "trail": request_trail(found.version),
        "evidence": lines(found.evidence),
        "serves": found.is_in_force and serving_decision(found.version),
        "unmet": [known[slug].title for slug in found.unmet_practices],
        "confirmers": confirmers(found),
        "may_confirm": rules.can_confirm_emergency(request.user, found),
        "may_end": rules.can_end_emergency(request.user, found),
        "confirm_form": ConfirmForm(auto_id="confirm_%s"),
        "end_form": ReasonForm(auto_id="end_%s"),
        **bound,
    }
