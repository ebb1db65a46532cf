"""Who signs in whose place in a project."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.checks import ensure
from apps.approvals import actions, rules
from apps.approvals.delegation_rules import revocable
from apps.approvals.forms import DelegationForm
from apps.approvals.models import Delegation
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects.models import Project
from apps.projects.queries import active_members


@login_required
@require_http_methods(["GET", "POST"])
def delegations(request: HtmxRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    may_delegate = rules.can_delegate_signing(request.user, project)
    receivers = active_members(project)
    form = DelegationForm(
        request.POST if request.method == "POST" else None,
        receivers=[one for one in receivers if one != request.user],
    )
    if request.method == "POST":
        ensure(may_delegate)
    if form.is_valid():
        with form.taking_faults():
            given = actions.delegate_signing(
                project=project,
                receiver=form.chosen,
                starts_on=form.cleaned_data["starts_on"],
                ends_on=form.cleaned_data["ends_on"],
                by=request.user,
            )
            messages.success(
                request, f"{given.receiver.full_name} signs in your place."
            )
            return redirect_after_success(request, _address(project))
    visible = Delegation.objects.visible_to(request.user).filter(project=project)
    page = keyset_page(
        visible.select_related("giver", "receiver"),
        after=request.GET.get("after"),
    )
    context = {
        "project": project,
        "page": page,
        "rows": revocable(request.user, project, page.rows),
        "form": form,
        "may_delegate": may_delegate,
    }
    return render_form(request, "approvals/delegations.html", context)


@login_required
@require_POST
def revoke_delegation(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = Delegation.objects.visible_to(request.user).select_related("project")
    given = get_object_or_404(visible, pk=pk)
    actions.revoke_delegation(delegation=given, by=request.user)
    messages.success(request, "Ended. What was signed by it stays signed.")
    return redirect_after_success(request, _address(given.project))


def _address(project: Project) -> str:
    return reverse("approvals:delegations", args=[project.slug])
