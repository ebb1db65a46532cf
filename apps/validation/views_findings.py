from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.queries import active_members
from apps.registry.models import ModelVersion
from apps.validation import actions, rules
from apps.validation.findings import counts_of, findings_of, history_of
from apps.validation.forms_findings import (
    AnswerForm,
    ClosingForm,
    FindingForm,
    OwnerForm,
)
from apps.validation.models import (
    Finding,
    FindingState,
    Severity,
    ValidationReport,
)

MAX_DIGITS = 9  # of the number of a report, as the column takes them


def _version(request: HtmxRequest, slug: str, name: str, number: int) -> ModelVersion:
    visible = ModelVersion.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("model__project"),
        model__project__slug=slug,
        model__name=name,
        number=number,
    )


def _finding(request: HtmxRequest, pk: UUID) -> Finding:
    visible = Finding.objects.visible_to(request.user).select_related(
        "version__model__project", "owner", "raised_by", "settled_by", "report"
    )
    return get_object_or_404(visible, pk=pk)


def _trail(version: ModelVersion, *further: tuple[str, str]) -> list[dict[str, str]]:
    model, project = version.model, version.project
    steps = (
        (project.name, project.get_absolute_url()),
        (model.name, model.get_absolute_url()),
        (f"Version {version.number}", version.get_absolute_url()),
        *further,
    )
    return [{"label": label, "url": url} for label, url in steps]


def _address(name: str, version: ModelVersion) -> str:
    place = [version.project.slug, version.model.name, version.number]
    return reverse(f"validation:{name}", args=place)


@login_required
@require_GET
def list_findings(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    version = _version(request, slug, name, number)
    findings = findings_of(version)
    state, severity = request.GET.get("state", ""), request.GET.get("severity", "")
    if state in FindingState.values:
        findings = findings.filter(state=state)
    if severity in Severity.values:
        findings = findings.filter(severity=severity)
    context = {
        "version": version,
        "title": f"{version.model.name}, version {version.number}",
        "trail": _trail(version),
        "page": keyset_page(findings, after=request.GET.get("after"), limit=20),
        "state": state,
        "states": FindingState.choices,
        "severity": severity,
        "severities": Severity.choices,
        "counts": counts_of(version),
        "raise_url": _address("raise_finding", version),
        "may_raise_finding": rules.can_raise_finding(request.user, version),
    }
    return render(request, "validation/findings.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def raise_finding(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    version = _version(request, slug, name, number)
    ensure(rules.can_raise_finding(request.user, version))
    report = _report_read(request, version)
    owners = active_members(version.project)
    form = FindingForm(request.POST or None, owners=owners)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            wish = actions.NewFinding(**form.cleaned_data, report=report)
            finding = actions.raise_finding(version=version, wish=wish, by=request.user)
            return redirect_after_success(request, finding)
    context = {
        "form": form,
        "version": version,
        "report": report,
        "trail": _trail(version, ("Findings", _address("findings", version))),
        "cancel_url": _address("findings", version),
    }
    return render_form(request, "validation/finding_form.html", context)


def _report_read(
    request: HtmxRequest, version: ModelVersion
) -> ValidationReport | None:
    """Find the report from whose page somebody came, by its number."""
    number = request.GET.get("report", "")
    if not number:
        return None
    if not number.isdecimal() or len(number) > MAX_DIGITS:
        raise Http404
    reports = ValidationReport.objects.visible_to(request.user).filter(version=version)
    return get_object_or_404(reports, number=int(number))


@login_required
@require_GET
def finding(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return _finding_page(request, _finding(request, pk))


def _finding_page(
    request: HtmxRequest, found: Finding, **bound: PortalForm
) -> HttpResponse:
    """Show a finding.

    Args:
        request: of the reader.
        found: with its people joined.
        bound: by the name of its deed, a form that was sent and has faults.
    """
    user, version = request.user, found.version
    context = {
        "finding": found,
        "events": history_of(found, user),
        "trail": _trail(version, ("Findings", _address("findings", version))),
        "forms": _forms(found) | bound,
        "may": {
            "answer": rules.can_answer_finding(user, found),
            "hand_over": rules.can_hand_over_finding(user, found),
            "close": rules.can_close_finding(user, found),
            "accept": rules.can_accept_finding(user, found),
            "reopen": rules.can_reopen_finding(user, found),
        },
    }
    status = 422 if bound else 200
    return render(request, "validation/finding.html", context, status=status)


def _forms(found: Finding, data: Any = None) -> dict[str, PortalForm]:
    """Build the form of every deed, by its name; bound to `data`, if any."""
    others = [one for one in active_members(found.project) if one != found.owner]
    return {
        "answer": AnswerForm(data, auto_id="answer_%s"),
        "hand_over": OwnerForm(data, owners=others, auto_id="hand_over_%s"),
        "close": ClosingForm(data, auto_id="close_%s"),
        "accept": ClosingForm(data, auto_id="accept_%s"),
        "reopen": ClosingForm(data, auto_id="reopen_%s"),
    }


def _deed(name: str, action: Callable[..., Finding]) -> Callable[..., HttpResponse]:
    """Make the view that takes one form about a finding and does what it says."""

    @login_required
    @require_POST
    def view(request: HtmxRequest, pk: UUID) -> HttpResponse:
        found = _finding(request, pk)
        form = _forms(found, request.POST)[name]
        if form.is_valid():
            with form.taking_faults():
                changed = action(finding=found, **form.cleaned_data, by=request.user)
                return redirect_after_success(request, changed)
        return _finding_page(request, found, **{name: form})

    return view


answer_finding = _deed("answer", actions.answer_finding)
hand_over_finding = _deed("hand_over", actions.hand_over_finding)
close_finding = _deed("close", actions.close_finding)
accept_finding = _deed("accept", actions.accept_finding)
reopen_finding = _deed("reopen", actions.reopen_finding)
