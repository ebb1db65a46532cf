from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
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


class PlanOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    criteria = CriterionShape(many=True)
    criteria_in_words = serializers.ListField(child=serializers.CharField())
    subgroup_columns = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    written_by = serializers.CharField(source="written_by.full_name")
    written_at = serializers.DateTimeField()


class ReportSummary(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    verdict = serializers.ChoiceField(choices=Verdict.choices, allow_blank=True)
    plan_number = serializers.IntegerField(source="plan.number")
    evaluated_on = serializers.ChoiceField(choices=Rows.choices)
    requested_by = serializers.CharField(source="requested_by.full_name")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
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
    cost_unit = serializers.CharField()
    spec = serializers.DictField()
    result = serializers.DictField()
    result_digest = serializers.CharField(allow_blank=True)

    def get_checks(self, report: ValidationReport) -> list[dict[str, Any]]:
        checks: list[dict[str, Any]] = report.result.get("checks", [])
        return checks


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
        plans = self._model().validation_plans.select_related("written_by")
        page = self.paginate_queryset(plans)
        return self.get_paginated_response(PlanOutput(page, many=True).data)

    @extend_schema(request=PlanInput, responses={201: PlanOutput})
    def post(self, request: ApiRequest, slug: str, name: str) -> Response:
        """Write a validation plan: what every version must do from now on."""
        model = self._model()
        given = PlanInput(data=request.data)
        given.is_valid(raise_exception=True)
        plan = actions.write_plan(model=model, **given.validated_data, by=request.user)
        return Response(
            PlanOutput(plan).data,
            status=201,
            headers={"Location": reverse("v1:validation_plan", args=[plan.pk])},
        )


class PlanView(ETagMixin, ApiView):
    serializer_class = PlanOutput

    @extend_schema(responses=PlanOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One validation plan."""
        visible = ValidationPlan.objects.visible_to(request.user)
        plan = get_object_or_404(visible.select_related("written_by"), pk=pk)
        return Response(PlanOutput(plan).data)


class ReportsView(ApiView):
    serializer_class = ReportSummary

    def _version(self) -> ModelVersion:
        return get_object_or_404(
            ModelVersion.objects.visible_to(self.request.user),
            model__project__slug=self.kwargs["slug"],
            model__name=self.kwargs["name"],
            number=self.kwargs["number"],
        )

    @extend_schema(responses=ReportSummary(many=True))
    def get(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Validation reports of a version, newest first."""
        page = self.paginate_queryset(queries.reports_of(self._version()))
        return self.get_paginated_response(ReportSummary(page, many=True).data)

    @extend_schema(request=ReportInput, responses={202: ReportSummary})
    def post(self, request: ApiRequest, slug: str, name: str, number: int) -> Response:
        """Have a version measured; follow `status_url` until it is final.

        To be evaluated on `sealed` rows costs the model a look of its budget.
        """
        version = self._version()
        given = ReportInput(data=request.data)
        given.is_valid(raise_exception=True)
        report = actions.request_report(
            version=version, **given.validated_data, by=request.user
        )
        body = ReportSummary(report).data
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
        report = cancel_job(job=self._report(), by=request.user)
        body = ReportOutput(report).data
        return Response(body, status=202, headers={"Location": body["status_url"]})


_MODEL = "projects/<slug:slug>/models/<slug:name>"
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
