from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.http import send_blob, send_text
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, queries
from apps.datasets.models import DatasetContent, DatasetVersion, ErrorListFormat
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus


class DatasetFailurePlace(serializers.Serializer[Any]):
    file = serializers.CharField(default="")
    row = serializers.IntegerField(allow_null=True, default=None)
    column = serializers.CharField(allow_null=True, default=None)
    message = serializers.CharField()
    text = serializers.CharField(default="")


class DatasetVersionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    dataset_id = serializers.UUIDField()
    number = serializers.IntegerField()
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    original_name = serializers.CharField()
    format = serializers.CharField()
    source_name = serializers.CharField()
    source_path = serializers.CharField()
    original_sha256 = serializers.CharField()
    original_bytes = serializers.IntegerField()
    parquet_sha256 = serializers.CharField()
    parquet_bytes = serializers.IntegerField(allow_null=True)
    row_count = serializers.IntegerField(allow_null=True)
    uploaded_by = serializers.EmailField(source="uploaded_by.email")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    status_url = serializers.SerializerMethodField()

    def get_status_url(self, version: DatasetVersion) -> str:
        return status_path(version)


class DatasetVersionDetail(DatasetVersionOutput):
    seal = serializers.JSONField()
    sealed_rows = serializers.SerializerMethodField()
    columns = serializers.JSONField()
    profile = serializers.JSONField()
    fingerprint = serializers.JSONField(allow_null=True)
    contract_check = serializers.JSONField(allow_null=True)
    failure_places = serializers.SerializerMethodField()
    errors_url = serializers.SerializerMethodField()

    def get_sealed_rows(self, version: DatasetVersion) -> int | None:
        part = queries.sealed_part_of(version)
        return part.row_count if part else None

    @extend_schema_field(DatasetFailurePlace(many=True))
    def get_failure_places(self, version: DatasetVersion) -> Any:
        return DatasetFailurePlace(queries.failure_places(version), many=True).data

    def get_errors_url(self, version: DatasetVersion) -> str | None:
        if version.status != JobStatus.FAILED:
            return None
        return reverse("v1:download_errors", args=[version.pk])


def status_path(version: DatasetVersion) -> str:
    return reverse("v1:dataset_version", args=[version.pk])


def accepted(version: DatasetVersion) -> Response:
    """Answer that a worker will read the file, and where to ask how far it is."""
    return Response(
        DatasetVersionOutput(version).data,
        status=202,
        headers={"Location": status_path(version)},
    )


class _VersionBase(ApiView):
    serializer_class = DatasetVersionDetail

    def get_queryset(self) -> Any:
        visible = DatasetVersion.objects.visible_to(self.request.user)
        return visible.select_related("dataset__project", "uploaded_by")


class VersionView(ETagMixin, _VersionBase):
    @extend_schema(responses=DatasetVersionDetail)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One version: how far reading is, then its columns and their profile."""
        return Response(DatasetVersionDetail(self.get_object()).data)


class CancelIngestView(_VersionBase):
    @extend_schema(request=None, responses={202: DatasetVersionOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop the reading of an upload."""
        version = cancel_job(job=self.get_object(), by=request.user)
        return accepted(version)


class DownloadVersionView(_VersionBase):
    @extend_schema(
        parameters=[OpenApiParameter("format", enum=DatasetContent.values)],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: ApiRequest, pk: UUID) -> FileResponse:
        """A file of a version: as uploaded, or as Parquet. The download is recorded."""
        file = actions.download_version(
            version=self.get_object(),
            content=queries.content_named(request.query_params.get("format")),
            by=request.user,
        )
        return send_blob(file.sha256, name=file.name, media_type=file.media_type)


class DownloadErrorsView(_VersionBase):
    @extend_schema(
        parameters=[OpenApiParameter("format", enum=ErrorListFormat.values)],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: ApiRequest, pk: UUID) -> HttpResponse:
        """The first 100 errors of a file that could not be read, as CSV or JSON."""
        file = actions.download_errors(
            version=self.get_object(),
            form=queries.error_list_format(request.query_params.get("format")),
            by=request.user,
        )
        return send_text(file.text, name=file.name, media_type=file.media_type)


urlpatterns = [
    path("dataset-versions/<uuid:pk>", VersionView.as_view(), name="dataset_version"),
    path(
        "dataset-versions/<uuid:pk>/cancel",
        CancelIngestView.as_view(),
        name="cancel_ingest",
    ),
    path(
        "dataset-versions/<uuid:pk>/download",
        DownloadVersionView.as_view(),
        name="download_version",
    ),
    path(
        "dataset-versions/<uuid:pk>/errors",
        DownloadErrorsView.as_view(),
        name="download_errors",
    ),
]
