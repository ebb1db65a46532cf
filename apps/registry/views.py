from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.checks import ensure
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
    send_blob,
)
from apps.core.rest import keyset_page
from apps.experiments.models import Run
from apps.projects.forms import GrantForm
from apps.projects.models import Project
from apps.projects.views_access import AccessViews, access_panel
from apps.registry import actions, queries, rules, trends
from apps.registry.candidates import candidates_of
from apps.registry.forms import CardForm, RegisterForm
from apps.registry.models import CARD_SECTIONS, ModelVersion, RegisteredModel

CARDS_PER_PAGE = 24


def _model(request: HtmxRequest, slug: str, name: str) -> RegisteredModel:
    visible = RegisteredModel.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("project", "created_by"), project__slug=slug, name=name
    )


def _version(request: HtmxRequest, slug: str, name: str, number: int) -> ModelVersion:
    return get_object_or_404(
        queries.with_card_parts(ModelVersion.objects.visible_to(request.user)),
        model__project__slug=slug,
        model__name=name,
        number=number,
    )


def _run(request: HtmxRequest, pk: UUID) -> Run:
    visible = Run.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("experiment__project"), pk=pk)


def _trail(request: HtmxRequest, project: Project) -> list[dict[str, str]]:
    """Lead over the project only who can see it: a grant opens a single model."""
    if not Project.objects.visible_to(request.user).filter(pk=project.pk).exists():
        return [{"label": "Models", "url": reverse("registry:list")}]
    models = reverse("registry:project_models", args=[project.slug])
    return [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Models", "url": models},
    ]


@login_required
@require_GET
def list_models(request: HtmxRequest) -> HttpResponse:
    search = request.GET.get("search", "")
    models = RegisteredModel.objects.visible_to(request.user).filter(
        name__icontains=search
    )
    context = _cards(request, models) | {"search": search}
    return render(request, "registry/list.html", context)


@login_required
@require_GET
def project_models(request: HtmxRequest, slug: str) -> HttpResponse:
    visible = Project.objects.visible_to(request.user)
    project = get_object_or_404(visible, slug=slug)
    models = RegisteredModel.objects.visible_to(request.user).filter(project=project)
    trail = _trail(request, project)[:1]
    context = _cards(request, models) | {"project": project, "trail": trail}
    return render(request, "registry/project_models.html", context)


def _cards(request: HtmxRequest, models: Any) -> dict[str, Any]:
    rows = models.select_related("project").prefetch_related(queries.champion_aliases())
    page = keyset_page(rows, after=request.GET.get("after"), limit=CARDS_PER_PAGE)
    newest = queries.newest_versions(page.rows)
    return {"page": page, "rows": [(row, newest.get(row.pk)) for row in page.rows]}


@login_required
@require_GET
def model(request: HtmxRequest, slug: str, name: str) -> HttpResponse:
    form = GrantForm(sharing=RegisteredModel.sharing)
    return _model_page(request, _model(request, slug, name), form)


def _model_page(
    request: HtmxRequest, found: RegisteredModel, form: GrantForm
) -> HttpResponse:
    listed = queries.with_names(found.versions.active())
    versions = queries.with_verdicts(listed)
    page = keyset_page(versions.defer("manifest"), after=request.GET.get("after"))
    return render_form(
        request,
        "registry/model.html",
        {
            "model": found,
            "trail": _trail(request, found.project),
            "page": page,
            "comparison": trends.compare(page.rows),
            "champion": queries.champion_of(found),
            "tags": found.tags.order_by("key"),
            "access": access_panel(request.user, found),
            "form": form,
        },
    )


access_views = AccessViews(find=_model, page=_model_page)


@login_required
@require_GET
def run_panel(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """What became of a run, or of one part of it that can be registered."""
    run, part = _run(request, pk), request.GET.get("part", "")
    candidates = candidates_of(run)
    versions = queries.versions_of_run(run, request.user)
    if part:
        candidates = [one for one in candidates if one.key == part]
        versions = queries.versions_of_part(versions, candidates)
    context = {
        "register_url": _register_url(run, part),
        "versions": versions[:CARDS_PER_PAGE],
        "may_register_version": rules.can_register_version(request.user, run),
        "is_offered": bool(candidates) or not part,
        "has_several": len(candidates) > 1,
    }
    return render(request, "registry/_run_panel.html", context)


def _register_url(run: Run, part: str) -> str:
    address = reverse("registry:register_version", args=[run.pk])
    return f"{address}?{urlencode({'part': part})}" if part else address


@login_required
@require_http_methods(["GET", "POST"])
def register_version(request: HtmxRequest, pk: UUID) -> HttpResponse:
    run = _run(request, pk)
    ensure(rules.can_register_version(request.user, run))
    models = RegisteredModel.objects.visible_to(request.user)
    known = models.filter(project=run.project).order_by("-pk")
    names = list(known.values_list("name", flat=True)[:CARDS_PER_PAGE])
    form = RegisterForm(
        request.POST or None,
        known=names,
        candidates=candidates_of(run),
        initial={"model_name": "".join(names[:1]), "part": request.GET.get("part")},
    )
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            version = actions.register_version(
                project=run.project, run=run, by=request.user, **form.cleaned_data
            )
            return redirect_after_success(request, version)
    context = {"form": form, "run": run}
    return render_form(request, "registry/register_version.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def edit_card(request: HtmxRequest, slug: str, name: str, number: int) -> HttpResponse:
    version = _version(request, slug, name, number)
    ensure(rules.can_edit_card(request.user, version))
    written = {section: getattr(version.card, section) for section in CARD_SECTIONS}
    form = CardForm(request.POST or None, initial=written)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.edit_card(
                version=version, sections=form.cleaned_data, by=request.user
            )
            return redirect_after_success(request, version)
    context = {"form": form, "version": version}
    return render_form(request, "registry/edit_card.html", context)


@login_required
@require_GET
def download_model_file(
    request: HtmxRequest, slug: str, name: str, number: int, path: str
) -> FileResponse:
    version = _version(request, slug, name, number)
    if queries.manifest_entry(version, path) is None:
        raise Http404
    entry = actions.download_model_file(version=version, path=path, by=request.user)
    return send_blob(
        entry["sha256"],
        name=PurePosixPath(path).name,
        media_type=entry["media_type"],
    )
