from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import Decision, ensure
from apps.accounts.models import User
from apps.approvals import actions, queries, rules
from apps.approvals.changes import changes_since
from apps.approvals.evidence import changed_parts, lines
from apps.approvals.exception_queries import sealed_rows
from apps.approvals.forms import (
    ChangesForm,
    DecisionForm,
    ReasonForm,
    RejectForm,
    RequestForm,
    SignOffForm,
)
from apps.approvals.models import (
    SEALED,
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    SignOff,
    Stage,
)
from apps.approvals.policy_book import policy_for
from apps.approvals.views_discussion import discussion_of
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.models import Project
from apps.projects.queries import active_members
from apps.registry.models import ModelVersion
from apps.validation import reading, report_figures
from apps.validation.brief import weak_points
from apps.validation.findings import unsettled_findings
from apps.validation.models import ValidationReport
from apps.validation.queries import latest_report, objective_of


@login_required
@require_GET
def list_requests(request: HtmxRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    requests = queries.with_stages(ApprovalRequest.objects.visible_to(request.user))
    page = keyset_page(
        requests.filter(version__model__project=project), after=request.GET.get("after")
    )
    return render(
        request, "approvals/requests.html", {"project": project, "page": page}
    )


@login_required
@require_http_methods(["GET", "POST"])
def request_approval(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    version = get_object_or_404(
        ModelVersion.objects.visible_to(request.user).select_related("model__project"),
        model__project__slug=slug,
        model__name=name,
        number=number,
    )
    ensure(rules.can_request_approval(request.user, version))
    form = RequestForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        approval = actions.request_approval(
            version=version, **form.cleaned_data, by=request.user
        )
        messages.success(request, "Asked for. The first signers see it in their inbox.")
        return redirect_after_success(request, approval)
    context = {
        "form": form,
        "version": version,
        "title": request_title(version),
        "trail": request_trail(version),
        "report": latest_report(version),
        "policy": policy_for(version.project),
    }
    return render_form(request, "approvals/request_form.html", context)


@login_required
@require_GET
def approval_request(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = visible_request(request, pk)
    return render(request, "approvals/request.html", page_of(request, approval))


@login_required
@require_POST
def withdraw_request(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = visible_request(request, pk)
    actions.withdraw_request(approval=approval, by=request.user)
    messages.success(request, "Withdrawn. The version is validated, as before.")
    return redirect_after_success(request, approval)


def visible_request(request: HtmxRequest, pk: UUID) -> ApprovalRequest:
    """Return a request with what its page shows, or answer 404."""
    visible = ApprovalRequest.objects.visible_to(request.user).select_related(
        "version__model__project",
        "version__run",
        "version__card",
        "report__plan",
        "report__champion__model__project",
        "report__champion__run",
        "requested_by",
    )
    approval = get_object_or_404(visible, pk=pk)
    approval.report.version = approval.version
    return approval


def request_title(version: ModelVersion) -> str:
    return f"{version.model.name}, version {version.number}"


def request_trail(version: ModelVersion) -> list[dict[str, str]]:
    model, project = version.model, version.project
    return [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": model.name, "url": model.get_absolute_url()},
        {"label": f"Version {version.number}", "url": version.get_absolute_url()},
    ]


def _changed_parts(approval: ApprovalRequest) -> list[str]:
    """Name what changed since the request, for as long as nothing of it may."""
    if approval.status == ApprovalStatus.STALE:
        return [part["name"] for part in approval.moved]
    return changed_parts(approval) if approval.status in SEALED else []


def _findings(report: ValidationReport) -> dict[str, Any]:
    champion_rows = reading.champion_rows(report)
    return {
        "weak": weak_points(report),
        "champion_summary": reading.champion_summary(champion_rows),
        "banner": reading.banner(report),
        "key_figures": reading.key_figures(report),
        "cost_comparison": report_figures.cost_comparison(report),
        "checks": reading.check_rows(report),
        "interval_name": reading.interval_name(report),
        "champion_rows": champion_rows,
        "champion_saw_other_rows": reading.champion_saw_other_rows(report),
    }


def page_of(
    request: HtmxRequest, approval: ApprovalRequest, **bound: DecisionForm
) -> dict[str, Any]:
    """Gather what the page of a request shows.

    Args:
        request: of the reader.
        approval: as `visible_request` gave it.
        bound: by the name of its decision, a form that was sent and has faults.
    """
    reader, stages = request.user, queries.stages_with_sign_offs(approval)
    signers = rules.signers(approval)
    present = next(iter(queries.open_stages(approval)), None)
    return {
        "approval": approval,
        "title": request_title(approval.version),
        "trail": request_trail(approval.version),
        "stages": stages,
        "steps": queries.steps(approval, stages),
        "present_stage": present,
        "conditions": _conditions(stages),
        "is_signed": any(stage.sign_offs.all() for stage in stages),
        "own_sign_off": _own_sign_off(reader, stages),
        "changes": changes_since(approval, reader),
        "findings": unsettled_findings(approval.version),
        "evidence": lines(approval.evidence),
        "practices": sealed_rows(approval.evidence),
        "changed_parts": _changed_parts(approval),
        "signers": signers,
        "stands_for": _stands_for(reader, signers),
        "objective": objective_of(approval.project),
        **_findings(approval.report),
        "may": _may(reader, approval),
        "discussion": discussion_of(request, approval),
        "forms": decision_forms(present, approval) | bound,
    }


def _may(reader: User, approval: ApprovalRequest) -> dict[str, Decision]:
    return {
        "sign_off": rules.can_sign_off(reader, approval),
        "reject": rules.can_reject(reader, approval),
        "withdraw_request": rules.can_withdraw_request(reader, approval),
        "revoke": rules.can_revoke_approval(reader, approval),
    }


def _stands_for(reader: User, signers: list[rules.Signer]) -> User | None:
    """Return in whose place the reader would sign; None in their own right."""
    may = (one for one in signers if one.person == reader and one.decision)
    return next((one.stands_for for one in may), None)


def decision_forms(
    stage: Stage | None, approval: ApprovalRequest, data: Any = None
) -> dict[str, DecisionForm]:
    """Build the forms of every decision, by its name; bound to `data`, if any."""
    forms: dict[str, DecisionForm] = {
        "reject": RejectForm(data, auto_id="reject_%s"),
        "request_changes": ChangesForm(data, auto_id="changes_%s"),
        "withdraw_sign_off": ReasonForm(data, auto_id="take_back_%s"),
        "revoke": ReasonForm(data, auto_id="revoke_%s"),
    }
    if stage is not None:
        owners = active_members(approval.project)
        forms["sign_off"] = SignOffForm(
            data, stage=stage, owners=owners, auto_id="sign_%s"
        )
    return forms


def _conditions(stages: list[Stage]) -> list[Condition]:
    """List the conditions that count, in the order in which they fall due."""
    found = [
        condition
        for stage in stages
        for sign_off in stage.sign_offs.all()
        if not hasattr(sign_off, "withdrawal")
        for condition in sign_off.conditions.all()
    ]
    return sorted(found, key=lambda condition: condition.due_on)


def _own_sign_off(reader: User, stages: list[Stage]) -> SignOff | None:
    """Return the signature that the reader could take back."""
    given = [
        sign_off
        for stage in stages
        for sign_off in stage.sign_offs.all()
        if sign_off.signer_id == reader.pk
    ]
    for sign_off in given:
        if rules.can_withdraw_sign_off(reader, sign_off):
            return sign_off
    return None
