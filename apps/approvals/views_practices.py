"""How a version stands with the minimum practices, and what was stated before."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.access.checks import ensure
from apps.approvals import actions, rules
from apps.approvals.actions.practices import NewStatement
from apps.approvals.exception_forms import PracticeForm
from apps.approvals.exception_queries import with_practice_names
from apps.approvals.models import PracticeStatement
from apps.approvals.practices import framework
from apps.approvals.serving import approval_in_force
from apps.approvals.standings import standings
from apps.approvals.views import request_trail
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.queries import active_members
from apps.registry.models import ModelVersion


@login_required
@require_http_methods(["GET", "POST"])
def practices(request: HtmxRequest, slug: str, name: str, number: int) -> HttpResponse:
    version = get_object_or_404(
        ModelVersion.objects.visible_to(request.user).select_related("model__project"),
        model__project__slug=slug,
        model__name=name,
        number=number,
    )
    may_state = rules.can_state_practice(request.user, version)
    form = PracticeForm(
        request.POST if request.method == "POST" else None,
        owners=active_members(version.project),
    )
    if request.method == "POST":
        ensure(may_state)
    if form.is_valid():
        with form.taking_faults():
            actions.state_practice(
                version=version, statement=NewStatement(**form.said), by=request.user
            )
            messages.success(request, "Stated. What was stated before stays readable.")
            return redirect_after_success(
                request, reverse("approvals:practices", args=[slug, name, number])
            )
    stated = PracticeStatement.objects.visible_to(request.user).filter(version=version)
    history = keyset_page(
        stated.select_related("written_by", "owner"), after=request.GET.get("after")
    )
    context = {
        "version": version,
        "trail": request_trail(version),
        "framework": framework(),
        "standings": standings(version),
        "page": history,
        "history": with_practice_names(history.rows),
        "approval": approval_in_force(version),
        "may_state": may_state,
        "form": form,
    }
    return render_form(request, "approvals/practices.html", context)
