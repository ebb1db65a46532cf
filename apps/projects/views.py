from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.access.roles import PROJECT_ROLES
from apps.audit.waiting import seal_sentence
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.projects import actions, queries, rules
from apps.projects.forms import (
    CodePolicyForm,
    ImpactForm,
    MemberForm,
    NewProjectForm,
    ObjectiveForm,
    ProjectForm,
    RoleForm,
)
from apps.projects.models import Membership, Project

GET_OR_POST = ["GET", "POST"]


def _visible(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def _trail(project: Project, *, to_members: bool = False) -> list[dict[str, str]]:
    trail = [{"label": project.name, "url": project.get_absolute_url()}]
    if to_members:
        url = reverse("projects:members", args=[project.slug])
        trail.append({"label": "Members", "url": url})
    return trail


def _form_page(
    request: HtmxRequest,
    form: Any,
    title: str,
    submit_label: str,
    trail: list[dict[str, str]],
) -> HttpResponse:
    """Show a form; cancelling leads to the last step of the trail."""
    return render_form(
        request,
        "projects/form.html",
        {
            "form": form,
            "title": title,
            "submit_label": submit_label,
            "trail": trail,
            "cancel_url": trail[-1]["url"],
        },
    )


@login_required
@require_GET
def list_projects(request: HtmxRequest) -> HttpResponse:
    search = request.GET.get("search", "")
    projects = queries.with_member_counts(
        Project.objects.visible_to(request.user).filter(name__icontains=search)
    )
    return render(
        request,
        "projects/list.html",
        {
            "page": keyset_page(projects, after=request.GET.get("after"), limit=24),
            "search": search,
            "may_create_project": rules.can_create_project(request.user),
        },
    )


@login_required
@require_http_methods(GET_OR_POST)
def create_project(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_create_project(request.user))
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            project = actions.create_project(**form.cleaned_data, by=request.user)
            return redirect_after_success(
                request, "projects:state_objective", slug=project.slug
            )
    trail = [{"label": "Projects", "url": reverse("projects:list")}]
    return _form_page(request, form, "Open a project", "Open project", trail)


@login_required
@require_http_methods(GET_OR_POST)
def edit_project(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _visible(request, slug)
    ensure(rules.can_edit_project(request.user, project))
    initial = {name: getattr(project, name) for name in actions.PROJECT_FIELDS}
    form = ProjectForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.edit_project(project=project, values=form.cleaned_data, by=request.user)
        return redirect_after_success(request, project)
    return _form_page(request, form, "Edit the project", "Save", _trail(project))


@login_required
@require_http_methods(GET_OR_POST)
def state_objective(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _visible(request, slug)
    ensure(rules.can_state_objective(request.user, project))
    form = ObjectiveForm(
        request.POST or None, initial=queries.objective_values(project)
    )
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.state_objective(
                project=project,
                statement=actions.ObjectiveStatement(**form.cleaned_data),
                by=request.user,
            )
            return redirect_after_success(request, project)
    return _form_page(
        request, form, "Mission objective", "State objective", _trail(project)
    )


@login_required
@require_http_methods(GET_OR_POST)
def determine_impact(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _visible(request, slug)
    ensure(rules.can_determine_impact(request.user, project))
    initial = {"impact": project.impact, "reason": project.impact_reason}
    form = ImpactForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.determine_impact(
                project=project, **form.cleaned_data, by=request.user
            )
            return redirect_after_success(request, project)
    return _form_page(
        request, form, "Determine the impact", "Determine", _trail(project)
    )


@login_required
@require_http_methods(GET_OR_POST)
def set_code_policy(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _visible(request, slug)
    ensure(rules.can_set_code_policy(request.user, project))
    initial = {"allows_code": project.allows_code}
    form = CodePolicyForm(request.POST or None, initial=initial)
    if request.method == "POST":
        actions.set_code_policy(
            project=project,
            allows_code="allows_code" in request.POST,
            by=request.user,
        )
        return redirect_after_success(request, project)
    return _form_page(request, form, "Own code", "Save", _trail(project))


@login_required
@require_GET
def members(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _visible(request, slug)
    return render(
        request,
        "projects/members.html",
        {
            "project": project,
            "memberships": queries.members_of(project),
            "roles": PROJECT_ROLES,
            "may_manage_members": rules.can_manage_members(request.user, project),
        },
    )


@login_required
@require_http_methods(GET_OR_POST)
def add_member(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _visible(request, slug)
    ensure(rules.can_add_member(request.user, project))
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.add_member(
                project=project,
                person=queries.person_by_email(form.cleaned_data["email"]),
                role=form.cleaned_data["role"],
                by=request.user,
            )
            return redirect_after_success(
                request, "projects:members", slug=project.slug
            )
    trail = _trail(project, to_members=True)
    return _form_page(request, form, "Add a member", "Add member", trail)


def _membership(request: HtmxRequest, pk: UUID) -> Membership:
    visible = Membership.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("project", "user"), pk=pk)


@login_required
@require_http_methods(GET_OR_POST)
def change_role(request: HtmxRequest, pk: UUID) -> HttpResponse:
    membership = _membership(request, pk)
    ensure(rules.can_change_role(request.user, membership))
    form = RoleForm(request.POST or None, initial={"role": membership.role})
    trail = _trail(membership.project, to_members=True)
    if request.method == "POST" and form.is_valid():
        actions.change_role(membership=membership, **form.cleaned_data, by=request.user)
        messages.success(request, f"Role changed. {seal_sentence()}")
        return redirect_after_success(request, trail[-1]["url"])
    title = f"Role of {membership.user.full_name}"
    return _form_page(request, form, title, "Change role", trail)


@login_required
@require_POST
def remove_member(request: HtmxRequest, pk: UUID) -> HttpResponse:
    membership = _membership(request, pk)
    actions.remove_member(membership=membership, by=request.user)
    messages.success(request, f"{membership.user.full_name} is no longer a member.")
    return redirect_after_success(
        request, "projects:members", slug=membership.project.slug
    )
