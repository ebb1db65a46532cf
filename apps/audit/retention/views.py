from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from apps.access.checks import ensure
from apps.audit.retention import actions, queries, rules
from apps.audit.retention.forms import HoldForm, ReasonForm
from apps.audit.retention.models import LegalHold, PruneRequest, Segment
from apps.audit.transparency.pruning import minimum_index
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
    send_blob,
)
from apps.core.rest import keyset_page

UNKNOWN = "an account that is not there"


@login_required
@require_GET
def segments(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_see_retention(request.user))
    visible = Segment.objects.visible_to(request.user)
    page = keyset_page(
        visible.prefetch_related("prune_requests"), after=request.GET.get("after")
    )
    pruned = queries.pruned_segments()
    waiting = [] if request.GET.get("after") else queries.lines_without_archive()
    return render(
        request,
        "audit/segments.html",
        {
            "page": page,
            "lines": [*waiting, *queries.lines(page.rows)],
            "pruned": pruned,
            "minimum_index": minimum_index(pruned),
            "months": settings.AUDIT_RETENTION_MONTHS,
        },
    )


@login_required
@require_GET
def segment(request: HtmxRequest, number: int) -> HttpResponse:
    return _page(request, _visible(request, number))


@login_required
@require_GET
def download_archive(request: HtmxRequest, number: int) -> FileResponse:
    found = _visible(request, number)
    digest = actions.download_archive(segment=found, by=request.user)
    return send_blob(
        digest, name=f"audit-archive-{number}.zip", media_type="application/zip"
    )


@login_required
@require_POST
def request_prune(request: HtmxRequest, number: int) -> HttpResponse:
    found = _visible(request, number)
    ensure(rules.can_request_prune(request.user, found))
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form)
    actions.request_prune(segment=found, **form.cleaned_data, by=request.user)
    messages.success(request, "Asked for. An auditor decides on this page.")
    return redirect_after_success(request, found)


@login_required
@require_POST
def approve_prune(request: HtmxRequest, pk: UUID) -> HttpResponse:
    prune = get_object_or_404(PruneRequest.objects.visible_to(request.user), pk=pk)
    actions.approve_prune(prune=prune, by=request.user)
    messages.success(request, "Agreed. Its events are not shown any more.")
    return redirect_after_success(request, prune)


@login_required
@require_POST
def withdraw_prune(request: HtmxRequest, pk: UUID) -> HttpResponse:
    prune = get_object_or_404(PruneRequest.objects.visible_to(request.user), pk=pk)
    ensure(rules.can_withdraw_prune(request.user, prune))
    form = ReasonForm(request.POST, auto_id="stop_%s")
    if not form.is_valid():
        return _page(request, prune.segment, stop_form=form)
    actions.withdraw_prune(prune=prune, **form.cleaned_data, by=request.user)
    messages.success(request, "Stopped. The segment stays.")
    return redirect_after_success(request, prune)


@login_required
@require_GET
def holds(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_see_retention(request.user))
    return _holds(request, HoldForm())


@login_required
@require_POST
def place_hold(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_place_hold(request.user))
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _holds(request, form)
    actions.place_hold(**form.cleaned_data, by=request.user)
    messages.success(request, "Placed. Nothing that it covers can be removed.")
    return redirect_after_success(request, "audit:holds")


@login_required
@require_POST
def lift_hold(request: HtmxRequest, pk: UUID) -> HttpResponse:
    hold = get_object_or_404(LegalHold.objects.visible_to(request.user), pk=pk)
    ensure(rules.can_lift_hold(request.user, hold))
    form = ReasonForm(request.POST, auto_id=f"lift_{pk}_%s")
    if not form.is_valid():
        return _holds(request, HoldForm(), lifting=hold, lift_form=form)
    actions.lift_hold(hold=hold, **form.cleaned_data, by=request.user)
    messages.success(request, "Lifted.")
    return redirect_after_success(request, "audit:holds")


def _visible(request: HtmxRequest, number: int) -> Segment:
    visible = Segment.objects.visible_to(request.user)
    return get_object_or_404(visible.prefetch_related("prune_requests"), pk=number)


def _page(
    request: HtmxRequest,
    found: Segment,
    *,
    form: ReasonForm | None = None,
    stop_form: ReasonForm | None = None,
) -> HttpResponse:
    asked = queries.open_request(found)
    requests = list(found.prune_requests.all())
    names = queries.names_of(requests)
    shown = form or stop_form or ReasonForm()
    context = {
        "form": shown,
        "stop_form": stop_form or ReasonForm(auto_id="stop_%s"),
        "line": queries.line_of(found),
        "segment": found,
        "asked": asked,
        "requests": [
            {
                "prune": one,
                "requested_by": names.get(one.requested_by_id, UNKNOWN),
                "decided_by": names.get(one.decided_by_id),
            }
            for one in requests
        ],
        "may_download_archive": rules.can_download_archive(request.user),
        "may_request_prune": rules.can_request_prune(request.user, found),
    }
    if asked:
        context |= {
            "may_approve_prune": rules.can_approve_prune(request.user, asked),
            "may_withdraw_prune": rules.can_withdraw_prune(request.user, asked),
            "removable_from": asked.decided_at and asked.decided_at + rules.GRACE,
        }
    return render_form(request, "audit/segment.html", context)


def _holds(
    request: HtmxRequest,
    form: HoldForm,
    *,
    lifting: LegalHold | None = None,
    lift_form: ReasonForm | None = None,
) -> HttpResponse:
    visible = LegalHold.objects.visible_to(request.user)
    page = keyset_page(visible, after=request.GET.get("after"))
    names = queries.names_of(page.rows)
    shown = [
        {
            "hold": hold,
            "placed_by": names.get(hold.placed_by_id, UNKNOWN),
            "lifted_by": names.get(hold.lifted_by_id),
            "may_lift_hold": rules.can_lift_hold(request.user, hold),
            "form": lift_form
            if lifting == hold
            else ReasonForm(auto_id=f"lift_{hold.pk}_%s"),
        }
        for hold in page.rows
    ]
    context = {
        "form": lift_form or form,
        "hold_form": form,
        "page": page,
        "holds": shown,
        "may_place_hold": rules.can_place_hold(request.user),
    }
    return render_form(request, "audit/holds.html", context)
