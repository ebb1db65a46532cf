from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.http import send_bytes
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.registry.models import ModelVersion, RegisteredModel
from apps.validation import actions, queries
from apps.validation.carriers import FORMS
from apps.validation.criteria import MAX_CRITERIA
from apps.validation.models import Rows, ValidationPlan, ValidationReport, Verdict
from apps.validation.plan_history import CriterionChange, Shift, steps_to


class CriterionShape(serializers.Serializer[Any]):
    measure = serializers.CharField(max_length=100)
    operator = serializers.ChoiceField(choices=[">=", "<="])
    threshold = serializers.FloatField()
    blocking = serializers.BooleanField(default=True)


class PlanInput(serializers.Serializer[Any]):
    criteria = serializers.ListField(child=CriterionShape(), max_length=MAX_CRITERIA)
    subgroup_columns = serializers.ListField(
        child=serializers.CharField(max_length=500), default=list
    )
    reason = serializers.CharField(max_length=4000, allow_blank=True, default="")
    sealed_decides = serializers.BooleanField(
        default=False,
        help_text="Only a report on the sealed rows makes a version validated.",
    )
    champion = serializers.IntegerField(
        default=None,
        allow_null=True,
        help_text="Number of the version to compare with; null: the champion then.",
    )


class PlanOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    criteria = CriterionShape(many=True)
    criteria_in_words = serializers.ListField(child=serializers.CharField())
    subgroup_columns = serializers.ListField(child=serializers.CharField())
    terms_in_words = serializers.ListField(child=serializers.CharField())
    sealed_decides = serializers.BooleanField()
    champion = serializers.IntegerField(source="champion.number", default=None)
    mission = serializers.DictField()
    reason = serializers.CharField()
    written_by = serializers.CharField(source="written_by.full_name")
    written_at = serializers.DateTimeField()


class CriterionChangeShape(serializers.Serializer[Any]):
    title = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    shift = serializers.ChoiceField(choices=[(one.name.lower(), one) for one in Shift])

    def to_representation(self, change: CriterionChange) -> dict[str, Any]:
        return {**asdict(change), "shift": change.shift.name.lower()}


class PlanStepShape(serializers.Serializer[Any]):
    plan_number = serializers.IntegerField(source="plan.number")
    written_by = serializers.CharField(source="plan.written_by.full_name")
    written_at = serializers.DateTimeField(source="plan.written_at")
    reason = serializers.CharField(source="plan.reason")
    criteria = CriterionChangeShape(many=True)
    columns_added = serializers.ListField(child=serializers.CharField())
    columns_removed = serializers.ListField(child=serializers.CharField())
    terms_added = serializers.ListField(child=serializers.CharField())
    terms_removed = serializers.ListField(child=serializers.CharField())
    reports_seen = serializers.IntegerField(
        help_text="Finished reports on the model when the plan was written."
    )
    eased_after_results = serializers.BooleanField()


class PlanDetail(PlanOutput):
    changes = serializers.SerializerMethodField()

    @extend_schema_field(PlanStepShape(many=True))
    def get_changes(self, plan: ValidationPlan) -> Any:
        return PlanStepShape(steps_to(plan), many=True).data


class ReportSummary(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    verdict = serializers.ChoiceField(choices=Verdict.choices, allow_blank=True)
    plan_number = serializers.IntegerField(source="plan.number")
    evaluated_on = serializers.ChoiceField(choices=Rows.choices)
    decides = serializers.BooleanField(
        help_text="Whether it can make its version validated, by its plan."
    )
    requested_by = serializers.CharField(source="requested_by.full_name")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    is_current = serializers.BooleanField(
        help_text="The newest report on its version that says something."
    )
    superseded_by = serializers.UUIDField(
        allow_null=True, help_text="The report that took the place of this one."
    )
    status_url = serializers.SerializerMethodField()

    def get_status_url(self, report: ValidationReport) -> str:
        return reverse("v1:validation_report", args=[report.pk])


class ReportInput(serializers.Serializer[Any]):
    evaluated_on = serializers.ChoiceField(choices=Rows.choices, default=Rows.HELD_OUT)


class ReportOutput(ReportSummary):
    version = serializers.CharField(source="version.__str__")
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    failure_details = serializers.ListField()
    checks = serializers.SerializerMethodField()
    plan_changes = serializers.SerializerMethodField()
    cost_unit = serializers.CharField()
    spec = serializers.DictField()
    result = serializers.DictField()
    result_digest = serializers.CharField(allow_blank=True)

    def get_checks(self, report: ValidationReport) -> list[dict[str, Any]]:
        checks: list[dict[str, Any]] = report.result.get("checks", [])
        return checks

    @extend_schema_field(PlanStepShape(many=True))
    def get_plan_changes(self, report: ValidationReport) -> Any:
        return PlanStepShape(steps_to(report.plan), many=True).data


class PlansView(ApiView):
    serializer_class = PlanOutput

    def _model(self) -> RegisteredModel:
        visible = RegisteredModel.objects.visible_to(self.request.user)
        return get_object_or_404(
            visible.select_related("project"),
            project__slug=self.kwargs["slug"],
            name=self.kwargs["name"],
        )

    @extend_schema(responses=PlanOutput(many=True))
    def get(self, request: ApiRequest, slug: str, name: str) -> Response:
        """Validation plans of a model, newest first; the newest is in force."""
        plans = self._model().validation_plans.select_related("written_by", "champion")
        page = self.paginate_queryset(plans)
        return self.get_paginated_response(PlanOutput(page, many=True).data)

    @extend_schema(request=PlanInput, responses={201: PlanDetail})
    def post(self, request: ApiRequest, slug: str, name: str) -> Response:
        """Write a validation plan: what every version must do from now on."""
        model = self._model()
        given = PlanInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        terms = actions.PlanTerms(said.pop("sealed_decides"), said.pop("champion"))
        plan = actions.write_plan(model=model, **said, terms=terms, by=request.user)
        return Response(
            PlanDetail(plan).data,
            status=201,
            headers={"Location": reverse("v1:validation_plan", args=[plan.pk])},
        )


class PlanView(ETagMixin, ApiView):
    serializer_class = PlanDetail

    @extend_schema(responses=PlanDetail)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One validation plan, and how plans changed until it, newest first."""
        visible = ValidationPlan.objects.visible_to(request.user)
        plan = get_object_or_404(visible.select_related("written_by"), pk=pk)
        return Response(PlanDetail(plan).data)


class OfVersionView(ApiView):
    """About the model version that the address names."""

    def get_version(self) -> ModelVersion:
        return get_object_or_404(
            ModelVersion.objects.visible_to(self.request.user),
            model__project__slug=self.kwargs["slug"],
            model__name=self.kwargs["name"],
            number=self.kwargs["number"],
        )


class ReportsView(OfVersionView):
    serializer_class = ReportSummary

    @extend_schema(responses=ReportSummary(many=True))
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Validation reports of a version, newest first."""
        page = self.paginate_queryset(queries.reports_of(self.get_version()))
        return self.get_paginated_response(ReportSummary(page, many=True).data)

    @extend_schema(request=ReportInput, responses={202: ReportSummary})
    def post(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Have a version measured; follow `status_url` until it is final.

        To be evaluated on `sealed` rows costs the model a look of its budget.
        """
        version = self.get_version()
        given = ReportInput(data=request.data)
        given.is_valid(raise_exception=True)
        report = actions.request_report(
            version=version, **given.validated_data, by=request.user
        )
        asked = queries.reports_of(version).get(pk=report.pk)
        body = ReportSummary(asked).data
        return Response(body, status=202, headers={"Location": body["status_url"]})


class _ReportBase(ApiView):
    serializer_class = ReportOutput

    def _report(self) -> ValidationReport:
        visible = ValidationReport.objects.visible_to(self.request.user)
        return get_object_or_404(queries.with_origins(visible), pk=self.kwargs["pk"])


class ReportView(ETagMixin, _ReportBase):
    @extend_schema(responses=ReportOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One validation report: status, verdict, checks, result and digest."""
        return Response(ReportOutput(self._report()).data)


class DownloadReportView(_ReportBase):
    @extend_schema(
        parameters=[
            OpenApiParameter("format", enum=list(FORMS), required=True),
        ],
        responses={
            (200, "text/html"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: ApiRequest, pk: UUID) -> HttpResponse:
        """Both faces of a finished report as one file. It is recorded.

        The JSON file holds the `document` whose canonical form has the `digest` that
        is on every face, and the `result` whose digest the document names.
        """
        file = actions.download_report(
            report=self._report(),
            form=request.query_params.get("format", ""),
            by=request.user,
        )
        return send_bytes(file.content, name=file.name, media_type=file.media_type)


class CancelReportView(_ReportBase):
    @extend_schema(request=None, responses={202: ReportOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop the computing of a report."""
        cancel_job(job=self._report(), by=request.user)
        body = ReportOutput(self._report()).data
        return Response(body, status=202, headers={"Location": body["status_url"]})


_MODEL = "projects/<slug:slug>/models/<str:name>"
urlpatterns = [
    path(f"{_MODEL}/validation-plans", PlansView.as_view(), name="validation_plans"),
    path("validation-plans/<uuid:pk>", PlanView.as_view(), name="validation_plan"),
    path(
        f"{_MODEL}/versions/<int:number>/validation-reports",
        ReportsView.as_view(),
        name="validation_reports",
    ),
    path(
        "validation-reports/<uuid:pk>", ReportView.as_view(), name="validation_report"
    ),
    path(
        "validation-reports/<uuid:pk>/download",
        DownloadReportView.as_view(),
        name="download_report",
    ),
    path(
        "validation-reports/<uuid:pk>/cancel",
        CancelReportView.as_view(),
        name="cancel_report",
    ),
]
