from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.datasets import actions, queries, rules
from apps.datasets.forms import BudgetForm, FileForm
from apps.datasets.models import SealedPart
from apps.datasets.pages import find_project, find_version, trail_to
from apps.jobs.actions import cancel_job


@login_required
@require_http_methods(["GET", "POST"])
def upload_sealed_part(request: HtmxRequest, pk: UUID) -> HttpResponse:
    version = find_version(request, pk)
    ensure(rules.can_upload_sealed_part(request.user, version))
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            file = form.cleaned_data["file"]
            part = actions.upload_sealed_part(
                version=version,
                content=file,
                original_name=file.name,
                by=request.user,
            )
            return redirect_after_success(request, part)
    context: dict[str, Any] = {
        "form": form,
        "title": f"Upload sealed rows of version {version.number}",
        "lead": "Only workers read them, to measure models; every use is counted. "
        "Nobody can take them out again.",
        "trail": trail_to(version.project, version.dataset),
        "submit_label": "Upload and seal",
        "cancel_url": reverse("home:sealed_data", args=[version.dataset_id]),
    }
    return render_form(request, "datasets/form.html", context)


@login_required
@require_POST
def cancel_sealed_part(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = SealedPart.objects.visible_to(request.user)
    part = get_object_or_404(visible.select_related("version__dataset__project"), pk=pk)
    return redirect_after_success(request, cancel_job(job=part, by=request.user))


@login_required
@require_http_methods(["GET", "POST"])
def set_sealed_budget(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    ensure(rules.can_set_sealed_budget(request.user, project))
    initial = {"looks": queries.looks_allowed(project)}
    form = BudgetForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.set_sealed_budget(
                project=project, **form.cleaned_data, by=request.user
            )
            return redirect_after_success(request, "datasets:list", slug=project.slug)
    context: dict[str, Any] = {
        "form": form,
        "title": "Budget of looks at sealed data",
        "trail": trail_to(project),
        "submit_label": "Set the budget",
        "cancel_url": reverse("datasets:list", args=[slug]),
    }
    return render_form(request, "datasets/form.html", context)
