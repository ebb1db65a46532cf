from typing import Any
from uuid import UUID

from django.http import FileResponse
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.audit.queries import AuditFilter
from apps.core.http import send_blob
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.exports import actions
from apps.exports.models import AuditExport, ExportForm
from apps.exports.wish import Wish
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus

LONGEST = 200  # characters of one value of a filter


class ExportInput(serializers.Serializer[Any]):
    form = serializers.ChoiceField(choices=ExportForm.choices)
    filter = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST, allow_blank=True),
        default=dict,
        help_text=f"Any of {', '.join(AuditFilter.__dataclass_fields__)}.",
    )
    with_names = serializers.BooleanField(default=False)
    with_byte_order_mark = serializers.BooleanField(default=False)

    def validate_filter(self, value: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(value) - set(AuditFilter.__dataclass_fields__)):
            raise serializers.ValidationError(f"There is no filter {unknown[0]}.")
        return value


class ExportOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    form = serializers.ChoiceField(choices=ExportForm.choices)
    shows = serializers.CharField(source="chosen_form.shows")
    filter = serializers.DictField(child=serializers.CharField(), source="wanted")
    with_names = serializers.BooleanField()
    with_byte_order_mark = serializers.BooleanField()
    size = serializers.IntegerField(source="tree_size")
    status = serializers.ChoiceField(choices=JobStatus.choices)
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    events = serializers.IntegerField(source="event_count", allow_null=True)
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    manifest_sha256 = serializers.CharField()
    keep_until = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)
    status_url = serializers.SerializerMethodField()
    download_url = serializers.SerializerMethodField()
    assessment_url = serializers.SerializerMethodField()

    def get_status_url(self, export: AuditExport) -> str:
        return reverse("v1:audit_export", args=[export.pk])

    def get_download_url(self, export: AuditExport) -> str:
        if not export.has_file:
            return ""
        return reverse("v1:download_audit_export", args=[export.pk])

    def get_assessment_url(self, export: AuditExport) -> str:
        if not (export.has_file and export.assessment_sha256):
            return ""
        return reverse("v1:download_audit_assessment", args=[export.pk])


class _ExportBase(ApiView):
    serializer_class = ExportOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        return AuditExport.objects.visible_to(self.request.user)

    def send(self, *, assessment: bool) -> FileResponse:
        export, by = self.get_object(), self.request.user
        file = actions.download_export(export=export, by=by, assessment=assessment)
        return send_blob(
            file.sha256, name=file.name, media_type=file.media_type, shelf=file.shelf
        )


class ExportsView(_ExportBase):
    @extend_schema(responses=ExportOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """My exports of the audit trail, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ExportOutput(page, many=True).data)

    @extend_schema(request=ExportInput, responses={202: ExportOutput})
    def post(self, request: ApiRequest) -> Response:
        """Have the trail exported; `status_url` tells how it goes."""
        given = ExportInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        wish = Wish(
            ExportForm(values["form"]),
            AuditFilter.from_query(values["filter"]),
            values["with_names"],
            values["with_byte_order_mark"],
        )
        export = actions.request_export(wish=wish, by=request.user)
        body = ExportOutput(export).data
        headers = {"Location": body["status_url"]}
        return Response(body, status=202, headers=headers)


class ExportView(ETagMixin, _ExportBase):
    @extend_schema(responses=ExportOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """How an export goes, and what came of it."""
        return Response(ExportOutput(self.get_object()).data)


class CancelExportView(_ExportBase):
    @extend_schema(request=None, responses=ExportOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop an export."""
        export = cancel_job(job=self.get_object(), by=request.user)
        return Response(ExportOutput(export).data)


class DownloadExportView(_ExportBase):
    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: ApiRequest, pk: UUID) -> FileResponse:
        """Download the file of a finished export; the download is recorded."""
        return self.send(assessment=False)


class DownloadAssessmentView(_ExportBase):
    @extend_schema(responses={(200, "application/json"): OpenApiTypes.BINARY})
    def get(self, request: ApiRequest, pk: UUID) -> FileResponse:
        """Download the OSCAL assessment results of a finished bundle."""
        return self.send(assessment=True)


urlpatterns = [
    path("audit/exports", ExportsView.as_view(), name="audit_exports"),
    path("audit/exports/<uuid:pk>", ExportView.as_view(), name="audit_export"),
    path(
        "audit/exports/<uuid:pk>/cancel",
        CancelExportView.as_view(),
        name="cancel_audit_export",
    ),
    path(
        "audit/exports/<uuid:pk>/download",
        DownloadExportView.as_view(),
        name="download_audit_export",
    ),
    path(
        "audit/exports/<uuid:pk>/assessment",
        DownloadAssessmentView.as_view(),
        name="download_audit_assessment",
    ),
]
