from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.accounts.actions import WrongPassword
from apps.approvals import actions, queries, rules
from apps.approvals.evidence import changed_parts, lines
from apps.approvals.forms import DecisionForm, RejectForm, RequestForm, SignOffForm
from apps.approvals.models import ApprovalRequest, ApprovalStatus
from apps.approvals.policies import load_policy
from apps.audit.waiting import seal_sentence
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.models import Project
from apps.registry.models import ModelVersion
from apps.validation import reading, report_figures
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
        "title": _title(version),
        "trail": _trail(version),
        "report": latest_report(version),
        "policy": load_policy(actions.POLICY),
    }
    return render_form(request, "approvals/request_form.html", context)


@login_required
@require_GET
def approval_request(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return _page(request, _visible(request, pk))


@sensitive_post_parameters("password")
@login_required
@require_POST
def sign_off(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = _visible(request, pk)
    ensure(rules.can_sign_off(request.user, approval))
    form = _sign_off_form(approval, request.POST)
    if form.is_valid():
        try:
            given = actions.sign_off(approval=approval, **_words(form), by=request.user)
        except WrongPassword as error:
            _take_wrong_password(request, form, error)
        else:
            said = f"Signed: {given.meaning.lower()}. {seal_sentence()}"
            messages.success(request, said)
            return redirect_after_success(request, approval)
    return _page(request, approval, sign_off_form=form)


@sensitive_post_parameters("password")
@login_required
@require_POST
def reject(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = _visible(request, pk)
    ensure(rules.can_reject(request.user, approval))
    form = RejectForm(request.POST, auto_id="reject_%s")
    if form.is_valid():
        try:
            actions.reject(approval=approval, **_words(form), by=request.user)
        except WrongPassword as error:
            _take_wrong_password(request, form, error)
        else:
            messages.success(request, "Rejected. The data scientists read why.")
            return redirect_after_success(request, approval)
    return _page(request, approval, reject_form=form)


@login_required
@require_POST
def withdraw_request(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = _visible(request, pk)
    actions.withdraw_request(approval=approval, by=request.user)
    messages.success(request, "Withdrawn. The version is validated, as before.")
    return redirect_after_success(request, approval)


def _visible(request: HtmxRequest, pk: UUID) -> ApprovalRequest:
    visible = ApprovalRequest.objects.visible_to(request.user).select_related(
        "version__model__project",
        "version__run",
        "report__plan",
        "report__champion__model__project",
        "report__champion__run",
        "requested_by",
    )
    approval = get_object_or_404(visible, pk=pk)
    approval.report.version = approval.version
    return approval


def _take_wrong_password(
    request: HtmxRequest, form: DecisionForm, error: WrongPassword
) -> None:
    """Show it beside the field; the middleware records it as a refusal."""
    form.add_error("password", error.message)
    request.portal_error = error  # type: ignore[attr-defined]


def _words(form: DecisionForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("comment", "password")}


def _sign_off_form(approval: ApprovalRequest, data: Any = None) -> SignOffForm:
    stage = queries.open_stages(approval)[0]
    return SignOffForm(data, meaning=stage.meaning, auto_id="sign_%s")


def _title(version: ModelVersion) -> str:
    return f"{version.model.name}, version {version.number}"


def _trail(version: ModelVersion) -> list[dict[str, str]]:
    model, project = version.model, version.project
    return [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": model.name, "url": model.get_absolute_url()},
        {"label": f"Version {version.number}", "url": version.get_absolute_url()},
    ]


def _changed_parts(approval: ApprovalRequest) -> list[str]:
    """What was withdrawn may change again; everything else is sealed."""
    is_withdrawn = approval.status == ApprovalStatus.WITHDRAWN
    return [] if is_withdrawn else changed_parts(approval)


def _findings(report: ValidationReport) -> dict[str, Any]:
    return {
        "banner": reading.banner(report),
        "key_figures": reading.key_figures(report),
        "cost_comparison": report_figures.cost_comparison(report),
        "checks": reading.check_rows(report),
        "interval_name": reading.interval_name(report),
        "champion_rows": reading.champion_rows(report),
        "champion_saw_other_rows": reading.champion_saw_other_rows(report),
    }


def _page(
    request: HtmxRequest,
    approval: ApprovalRequest,
    sign_off_form: SignOffForm | None = None,
    reject_form: RejectForm | None = None,
) -> HttpResponse:
    may_sign_off = rules.can_sign_off(request.user, approval)
    if may_sign_off and sign_off_form is None:
        sign_off_form = _sign_off_form(approval)
    stages = queries.stages_with_sign_offs(approval)
    context = {
        "approval": approval,
        "title": _title(approval.version),
        "trail": _trail(approval.version),
        "stages": stages,
        "steps": queries.steps(approval, stages),
        "present_stage": next(iter(queries.open_stages(approval)), None),
        "evidence": lines(approval.evidence),
        "changed_parts": _changed_parts(approval),
        "signers": rules.signers(approval),
        "objective": objective_of(approval.project),
        **_findings(approval.report),
        "may_sign_off": may_sign_off,
        "may_reject": rules.can_reject(request.user, approval),
        "may_withdraw_request": rules.can_withdraw_request(request.user, approval),
        "sign_off_form": sign_off_form,
        "reject_form": reject_form or RejectForm(auto_id="reject_%s"),
    }
    was_faulty = any(form and form.is_bound for form in (sign_off_form, reject_form))
    status = 422 if was_faulty else 200
    return render(request, "approvals/request.html", context, status=status)
