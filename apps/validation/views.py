from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from apps.access.checks import ensure
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
    send_bytes,
)
from apps.core.rest import keyset_page
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.jobs.rules import can_cancel_job
from apps.registry import queries as registry_queries
from apps.registry.models import ModelVersion, RegisteredModel
from apps.validation import actions, queries, reading, report_figures, rules
from apps.validation.around import around
from apps.validation.brief import brief
from apps.validation.document import report_document, told
from apps.validation.families import family_sections
from apps.validation.findings import unsettled_findings
from apps.validation.forms import PlanChoices, PlanForm
from apps.validation.models import Rows, ValidationPlan, ValidationReport
from apps.validation.plan_history import steps_to
from apps.validation.plan_templates import plan_templates, start_from, template_for
from engine.spec import promises_for


def _model(request: HtmxRequest, slug: str, name: str) -> RegisteredModel:
    visible = RegisteredModel.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("project"), project__slug=slug, name=name
    )


def _report(request: HtmxRequest, pk: UUID) -> ValidationReport:
    visible = ValidationReport.objects.visible_to(request.user)
    return get_object_or_404(queries.with_origins(visible), pk=pk)


def _trail(model: RegisteredModel, *further: tuple[str, str]) -> list[dict[str, str]]:
    steps = (
        (model.project.name, model.project.get_absolute_url()),
        (model.name, model.get_absolute_url()),
        *further,
    )
    return [{"label": label, "url": url} for label, url in steps]


def _plans_step(model: RegisteredModel) -> tuple[str, str]:
    address = reverse("validation:plans", args=[model.project.slug, model.name])
    return "Validation plans", address


@login_required
@require_GET
def plans(request: HtmxRequest, slug: str, name: str) -> HttpResponse:
    model = _model(request, slug, name)
    written = model.validation_plans.select_related("written_by", "champion")
    context = {
        "model": model,
        "trail": _trail(model),
        "page": keyset_page(written, after=request.GET.get("after"), limit=20),
        "newest": queries.latest_plan(model),
        "may_write_plan": rules.can_write_plan(request.user, model),
    }
    return render(request, "validation/plans.html", context)


@login_required
@require_GET
def plan(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = ValidationPlan.objects.visible_to(request.user)
    plan = get_object_or_404(
        visible.select_related("model__project", "written_by", "champion"), pk=pk
    )
    context = {
        "plan": plan,
        "trail": _trail(plan.model, _plans_step(plan.model)),
        "newest": queries.latest_plan(plan.model),
        "steps": steps_to(plan),
        "mission_moved": plan.mission != queries.mission_now(plan.project),
        "may_write_plan": rules.can_write_plan(request.user, plan.model),
    }
    return render(request, "validation/plan.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def write_plan(request: HtmxRequest, slug: str, name: str) -> HttpResponse:
    model = _model(request, slug, name)
    ensure(rules.can_write_plan(request.user, model))
    needs_reason = queries.has_reports(model)
    form, start = _plan_form(request, model, needs_reason)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            plan = actions.write_plan(
                model=model,
                criteria=form.criteria(),
                subgroup_columns=form.cleaned_data["subgroup_columns"],
                reason=form.cleaned_data["reason"],
                terms=actions.PlanTerms(
                    form.cleaned_data["sealed_decides"], form.cleaned_data["champion"]
                ),
                by=request.user,
            )
            return redirect_after_success(request, plan)
    context = {
        "form": form,
        "model": model,
        "mission": queries.objective_of(model.project),
        "trail": _trail(model, _plans_step(model)),
        "start": start,
        "templates": plan_templates().values(),
        "needs_reason": needs_reason,
    }
    return render_form(request, "validation/plan_form.html", context)


def _plan_form(
    request: HtmxRequest, model: RegisteredModel, needs_reason: bool
) -> tuple[PlanForm, dict[str, Any]]:
    """Begin with the template that is asked for, the present plan, or a fitting one."""
    version = queries.known_newest_version(model)
    former = queries.latest_plan(model)
    start = _start(request, model, version, former)
    form = PlanForm(
        request.POST or None,
        choices=PlanChoices(
            measures=promises_for(queries.known_question_of(version).task),
            columns=queries.subgroup_candidates(version),
            versions=queries.possible_champions(version),
            has_sealed_rows=queries.sealed_standing(version) is not None,
        ),
        criteria=start["criteria"],
        needs_reason=needs_reason,
        initial=_as_before(former) if former else {},
    )
    return form, start


def _as_before(former: ValidationPlan) -> dict[str, Any]:
    return {
        "subgroup_columns": former.subgroup_columns,
        "sealed_decides": former.sealed_decides,
        "champion": former.champion and former.champion.number,
    }


def _start(
    request: HtmxRequest,
    model: RegisteredModel,
    version: ModelVersion,
    former: ValidationPlan | None,
) -> dict[str, Any]:
    """Say what the form begins with: `template` and `left_out`, or `former`."""
    name = request.GET.get("start", "")
    if name and name not in plan_templates():
        raise Http404
    if former and not name:
        return {"criteria": former.criteria, "template": None, "former": former}
    template = plan_templates()[name] if name else template_for(model.project)
    start = start_from(template, version)
    return {
        "criteria": start.criteria,
        "left_out": start.left_out,
        "template": template,
        "former": former,
    }


@login_required
@require_POST
def request_report(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    visible = ModelVersion.objects.visible_to(request.user)
    version = get_object_or_404(
        visible, model__project__slug=slug, model__name=name, number=number
    )
    report = actions.request_report(
        version=version,
        evaluated_on=request.POST.get("evaluated_on", Rows.HELD_OUT),
        by=request.user,
    )
    return redirect_after_success(request, report)


@login_required
@require_GET
def report(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Show how far a report is; when it is finished, its decision brief."""
    report = _report(request, pk)
    context = _context(request, report) | {
        "may_request_report": rules.can_request_report(request.user, report.version),
        "may_request_sealed_report": rules.can_request_report(
            request.user, report.version, Rows.SEALED
        )
        if report.evaluated_on == Rows.SEALED
        else None,
        "may_cancel_report": can_cancel_job(request.user, report),
    }
    if report.status == JobStatus.SUCCEEDED:
        scene = around(report, viewer=request.user, at=timezone.now())
        context["brief"] = brief(told(report_document(report)), scene)
    return render(request, "validation/report.html", context)


@login_required
@require_GET
def full_report(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Show everything that a finished report says."""
    report = _report(request, pk)
    document = report_document(report)
    context = _context(request, report) | _content(told(document))
    context |= {
        "digest": document["digest"],
        "champion_saw_other_rows": reading.champion_saw_other_rows(report),
    }
    return render(request, "validation/full_report.html", context)


@login_required
@require_GET
def download_report(request: HtmxRequest, pk: UUID) -> HttpResponse:
    file = actions.download_report(
        report=_report(request, pk),
        form=request.GET.get("format", ""),
        by=request.user,
    )
    return send_bytes(file.content, name=file.name, media_type=file.media_type)


def _context(request: HtmxRequest, report: ValidationReport) -> dict[str, Any]:
    version = report.version
    step = (f"Version {version.number}", version.get_absolute_url())
    steps = steps_to(report.plan)
    return {
        "report": report,
        "trail": _trail(version.model, step),
        "sees_data": registry_queries.sees_data(version, request.user),
        "newest_plan": queries.latest_plan(version.model),
        "newest_report": queries.latest_report(version),
        "findings": unsettled_findings(version),
        "may_raise_finding": rules.can_raise_finding(request.user, version),
        "plan_steps": steps,
        "plan_eased": [step for step in steps if step.eased_after_results],
    }


def _content(report: reading.Measured) -> dict[str, Any]:
    return {
        "banner": reading.banner(report),
        "checks": reading.check_rows(report),
        "key_figures": reading.key_figures(report),
        "interval_name": reading.interval_name(report),
        "cost_comparison": report_figures.cost_comparison(report),
        "cost_curve": report_figures.cost_curve(report),
        "quality": report_figures.quality(report),
        "measures": reading.measure_rows(report),
        "subgroups": report_figures.subgroups(report),
        "group_tables": reading.group_tables(report),
        "families": family_sections(report),
        "importance": report_figures.importance(report),
        "champion_rows": reading.champion_rows(report),
    }


@login_required
@require_GET
def report_progress(request: HtmxRequest, pk: UUID) -> HttpResponse:
    report = _report(request, pk)
    if report.is_final:
        return HttpResponseClientRefresh()
    context = {
        "report": report,
        "may_cancel_report": can_cancel_job(request.user, report),
    }
    return render(request, "validation/_report_progress.html", context)


@login_required
@require_POST
def cancel_report(request: HtmxRequest, pk: UUID) -> HttpResponse:
    report = cancel_job(job=_report(request, pk), by=request.user)
    return redirect_after_success(request, report)
