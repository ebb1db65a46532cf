"""Decisions on a request: each is a signature with the password entered anew."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from apps.access.checks import Decision, ensure
from apps.accounts.actions import WrongPassword
from apps.approvals import actions, queries, rules
from apps.approvals.forms import DecisionForm, SignOffForm
from apps.approvals.models import ApprovalRequest, Condition, SignOff
from apps.approvals.views import decision_forms, page_of, visible_request
from apps.audit.waiting import seal_sentence
from apps.core.http import HtmxRequest, redirect_after_success


@sensitive_post_parameters("password")
@login_required
@require_POST
def sign_off(request: HtmxRequest, pk: UUID) -> HttpResponse:
    def give(approval: ApprovalRequest, form: SignOffForm) -> str:
        given = actions.sign_off(
            approval=approval,
            **_words(form),
            conditions=form.conditions,
            by=request.user,
        )
        return f"Signed: {given.meaning.lower()}. {seal_sentence()}"

    return _decide(request, pk, ("sign_off", rules.can_sign_off), give)


@sensitive_post_parameters("password")
@login_required
@require_POST
def reject(request: HtmxRequest, pk: UUID) -> HttpResponse:
    def give(approval: ApprovalRequest, form: DecisionForm) -> str:
        actions.reject(approval=approval, **_words(form), by=request.user)
        return "Rejected. The data scientists read why."

    return _decide(request, pk, ("reject", rules.can_reject), give)


@sensitive_post_parameters("password")
@login_required
@require_POST
def request_changes(request: HtmxRequest, pk: UUID) -> HttpResponse:
    def give(approval: ApprovalRequest, form: DecisionForm) -> str:
        actions.request_changes(approval=approval, **_words(form), by=request.user)
        return "Sent back. Its author reads what must change and can ask again."

    return _decide(request, pk, ("request_changes", rules.can_reject), give)


@sensitive_post_parameters("password")
@login_required
@require_POST
def withdraw_sign_off(request: HtmxRequest, pk: UUID, sign_off: UUID) -> HttpResponse:
    given = get_object_or_404(
        SignOff.objects.visible_to(request.user).select_related("stage__request"),
        pk=sign_off,
        stage__request_id=pk,
    )

    def may(user: Any, approval: ApprovalRequest) -> Decision:
        given.stage.request = approval
        return rules.can_withdraw_sign_off(user, given)

    def give(approval: ApprovalRequest, form: DecisionForm) -> str:
        said = _words(form)
        actions.withdraw_sign_off(
            sign_off=given,
            reason=said["comment"],
            password=said["password"],
            by=request.user,
        )
        return f"Taken back: {given.stage.title} is open again. {seal_sentence()}"

    return _decide(request, pk, ("withdraw_sign_off", may), give)


@sensitive_post_parameters("password")
@login_required
@require_POST
def revoke(request: HtmxRequest, pk: UUID) -> HttpResponse:
    def give(approval: ApprovalRequest, form: DecisionForm) -> str:
        said = _words(form)
        actions.revoke_approval(
            approval=approval,
            reason=said["comment"],
            password=said["password"],
            by=request.user,
        )
        return f"The approval is ended; the version no longer serves. {seal_sentence()}"

    return _decide(request, pk, ("revoke", rules.can_revoke_approval), give)


@login_required
@require_POST
def meet_condition(request: HtmxRequest, pk: UUID, condition: UUID) -> HttpResponse:
    approval = visible_request(request, pk)
    visible = Condition.objects.visible_to(request.user)
    found = get_object_or_404(visible.of(approval), pk=condition)
    evidence = request.POST.get("evidence", "")
    actions.meet_condition(condition=found, evidence=evidence, by=request.user)
    messages.success(request, f"Met. {seal_sentence()}")
    return redirect_after_success(request, approval)


def _decide(
    request: HtmxRequest,
    pk: UUID,
    decision: tuple[str, Callable[[Any, ApprovalRequest], Decision]],
    give: Callable[[ApprovalRequest, Any], str],
) -> HttpResponse:
    """Take one decision, or show the page again with what is wrong with it."""
    name, may = decision
    approval = visible_request(request, pk)
    ensure(may(request.user, approval))
    stage = next(iter(queries.open_stages(approval)), None)
    form = decision_forms(stage, approval, request.POST)[name]
    if form.is_valid():
        with form.taking_faults():
            try:
                messages.success(request, give(approval, form))
                return redirect_after_success(request, approval)
            except WrongPassword as error:
                # Shown beside the field; the middleware records it as a refusal.
                form.add_error("password", error.message)
                request.portal_error = error  # type: ignore[attr-defined]
    context = page_of(request, approval, **{name: form})
    return render(request, "approvals/request.html", context, status=422)


def _words(form: DecisionForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("comment", "password")}
