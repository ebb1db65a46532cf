from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.accounts import actions, rules
from apps.accounts.actions import WrongPassword
from apps.accounts.forms import ApproveErasureForm, ErasureForm
from apps.accounts.models import ErasureRequest, User
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page


@login_required
@require_GET
def erasures(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_see_erasures(request.user))
    visible = ErasureRequest.objects.visible_to(request.user)
    page = keyset_page(
        visible.select_related("person", "requested_by"),
        after=request.GET.get("after"),
    )
    return render(request, "accounts/erasures.html", {"page": page})


@login_required
@require_http_methods(["GET", "POST"])
def request_erasure(request: HtmxRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    ensure(rules.can_request_erasure(request.user, person))
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = actions.request_erasure(
            person=person, **form.cleaned_data, by=request.user
        )
        messages.success(request, "Asked for. Another administrator decides.")
        return redirect_after_success(request, asked)
    return render_form(
        request, "accounts/erasure_form.html", {"form": form, "person": person}
    )


@login_required
@require_GET
def erasure(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return _page(request, _visible(request, pk), ApproveErasureForm())


@sensitive_post_parameters("password")
@login_required
@require_POST
def approve_erasure(request: HtmxRequest, pk: UUID) -> HttpResponse:
    asked = _visible(request, pk)
    ensure(rules.can_approve_erasure(request.user, asked))
    form = ApproveErasureForm(request.POST)
    if form.is_valid():
        try:
            actions.approve_erasure(erasure=asked, **form.cleaned_data, by=request.user)
        except WrongPassword as error:
            form.add_error("password", error.message)
            request.portal_error = error  # type: ignore[attr-defined]
        else:
            messages.success(request, "Erased. The events stay, without the name.")
            return redirect_after_success(request, asked)
    return _page(request, asked, form)


@login_required
@require_POST
def withdraw_erasure(request: HtmxRequest, pk: UUID) -> HttpResponse:
    asked = actions.withdraw_erasure(erasure=_visible(request, pk), by=request.user)
    messages.success(request, "Withdrawn. The person stays known.")
    return redirect_after_success(request, asked)


def _visible(request: HtmxRequest, pk: UUID) -> ErasureRequest:
    visible = ErasureRequest.objects.visible_to(request.user).select_related(
        "person", "requested_by", "decided_by"
    )
    return get_object_or_404(visible, pk=pk)


def _page(
    request: HtmxRequest, asked: ErasureRequest, form: ApproveErasureForm
) -> HttpResponse:
    return render_form(
        request,
        "accounts/erasure.html",
        {
            "form": form,
            "erasure": asked,
            "may_approve_erasure": rules.can_approve_erasure(request.user, asked),
            "may_withdraw_erasure": rules.can_withdraw_erasure(request.user, asked),
        },
    )
