from typing import Any
from uuid import UUID

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.http import send_blob
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, queries, rules
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from apps.projects.models import Project
from apps.projects.queries import person_by_email


class DatasetUpload(serializers.Serializer[Any]):
    name = serializers.SlugField(max_length=60)
    title = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(
        max_length=4000, required=False, allow_blank=True
    )
    file = serializers.FileField(max_length=255)


class VersionUpload(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=255)


class DatasetChanges(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(
        max_length=4000, required=False, allow_blank=True
    )


class DatasetOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.SlugField(source="project.slug")
    name = serializers.SlugField()
    title = serializers.CharField()
    description = serializers.CharField()
    is_restricted = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class FailurePlace(serializers.Serializer[Any]):
    row = serializers.IntegerField(allow_null=True, default=None)
    column = serializers.CharField(allow_null=True, default=None)
    message = serializers.CharField()
    text = serializers.CharField(default="")


class VersionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    dataset_id = serializers.UUIDField()
    number = serializers.IntegerField()
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    original_name = serializers.CharField()
    format = serializers.CharField()
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
        return _status_path(version)


class VersionDetail(VersionOutput):
    columns = serializers.JSONField()
    profile = serializers.JSONField()
    failure_places = serializers.SerializerMethodField()

    @extend_schema_field(FailurePlace(many=True))
    def get_failure_places(self, version: DatasetVersion) -> Any:
        return FailurePlace(queries.failure_places(version), many=True).data


class GrantInput(serializers.Serializer[Any]):
    email = serializers.EmailField()


class GrantOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()


def _status_path(version: DatasetVersion) -> str:
    return reverse("v1:dataset_version", args=[version.pk])


def _accepted(version: DatasetVersion) -> Response:
    """Answer that a worker will read the file, and where to ask how far it is."""
    return Response(
        VersionOutput(version).data,
        status=202,
        headers={"Location": _status_path(version)},
    )


class _DatasetBase(ApiView):
    serializer_class: Any = DatasetOutput

    def get_queryset(self) -> Any:
        visible = Dataset.objects.visible_to(self.request.user)
        return visible.select_related("project", "created_by")


class DatasetsView(_DatasetBase):
    parser_classes = [MultiPartParser]

    def _project(self) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=self.kwargs["slug"])

    @extend_schema(responses=DatasetOutput(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Datasets of a project that I can see, newest first."""
        datasets = self.get_queryset().filter(project=self._project())
        page = self.paginate_queryset(datasets)
        return self.get_paginated_response(DatasetOutput(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": DatasetUpload}, responses={202: VersionOutput}
    )
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Upload a file under a name: a new dataset, or the next version of one."""
        project = self._project()
        ensure(rules.can_upload_dataset(request.user, project))
        given = DatasetUpload(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data.pop("file")
        version = actions.upload_dataset(
            project=project,
            values=given.validated_data,
            content=file,
            original_name=file.name,
            by=request.user,
        )
        return _accepted(version)


class DatasetView(ETagMixin, _DatasetBase):
    @extend_schema(responses=DatasetOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One dataset."""
        return Response(DatasetOutput(self.get_object()).data)

    @extend_schema(request=DatasetChanges, responses=DatasetOutput)
    def patch(self, request: ApiRequest, pk: UUID) -> Response:
        """Change title or description."""
        dataset = self.get_object()
        given = DatasetChanges(data=request.data)
        given.is_valid(raise_exception=True)
        dataset = actions.edit_dataset(
            dataset=dataset, values=given.validated_data, by=request.user
        )
        return Response(DatasetOutput(dataset).data)


class VersionsView(_DatasetBase):
    parser_classes = [MultiPartParser]

    @extend_schema(responses=VersionOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Versions of a dataset, newest first."""
        versions = self.get_object().versions.select_related("uploaded_by")
        page = self.paginate_queryset(versions.defer(*queries.HEAVY_FIELDS))
        return self.get_paginated_response(VersionOutput(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": VersionUpload}, responses={202: VersionOutput}
    )
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Upload a file as the next version."""
        dataset = self.get_object()
        ensure(rules.can_upload_version(request.user, dataset))
        given = VersionUpload(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        version = actions.upload_version(
            dataset=dataset, content=file, original_name=file.name, by=request.user
        )
        return _accepted(version)


class RestrictDatasetView(_DatasetBase):
    @extend_schema(request=None, responses=DatasetOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Hide a dataset from members without a grant."""
        dataset = actions.restrict_dataset(dataset=self.get_object(), by=request.user)
        return Response(DatasetOutput(dataset).data)


class OpenDatasetView(_DatasetBase):
    @extend_schema(request=None, responses=DatasetOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Show a dataset to all members again."""
        dataset = actions.open_dataset(dataset=self.get_object(), by=request.user)
        return Response(DatasetOutput(dataset).data)


class GrantsView(_DatasetBase):
    serializer_class = GrantOutput

    @extend_schema(responses=GrantOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """People who were granted a restricted dataset."""
        page = self.paginate_queryset(queries.granted_people(self.get_object()))
        return self.get_paginated_response(GrantOutput(page, many=True).data)

    @extend_schema(request=GrantInput, responses={201: GrantOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Let a member see a restricted dataset."""
        dataset = self.get_object()
        ensure(rules.can_grant_dataset(request.user, dataset))
        given = GrantInput(data=request.data)
        given.is_valid(raise_exception=True)
        person = person_by_email(given.validated_data["email"])
        actions.grant_dataset(dataset=dataset, person=person, by=request.user)
        return Response(GrantOutput(person).data, status=201)


class GrantView(_DatasetBase):
    @extend_schema(request=None, responses={204: None})
    def delete(self, request: ApiRequest, pk: UUID, person_pk: UUID) -> Response:
        """Take away that somebody sees a restricted dataset."""
        dataset = self.get_object()
        person = get_object_or_404(queries.granted_people(dataset), pk=person_pk)
        actions.revoke_dataset_grant(dataset=dataset, person=person, by=request.user)
        return Response(status=204)


class _VersionBase(ApiView):
    serializer_class = VersionDetail

    def get_queryset(self) -> Any:
        visible = DatasetVersion.objects.visible_to(self.request.user)
        return visible.select_related("dataset__project", "uploaded_by")


class VersionView(ETagMixin, _VersionBase):
    @extend_schema(responses=VersionDetail)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One version: how far reading is, then its columns and their profile."""
        return Response(VersionDetail(self.get_object()).data)


class CancelIngestView(_VersionBase):
    @extend_schema(request=None, responses={202: VersionOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop the reading of an upload."""
        version = actions.cancel_ingest(version=self.get_object(), by=request.user)
        return _accepted(version)


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


urlpatterns = [
    path("projects/<slug:slug>/datasets", DatasetsView.as_view(), name="datasets"),
    path("datasets/<uuid:pk>", DatasetView.as_view(), name="dataset"),
    path(
        "datasets/<uuid:pk>/versions", VersionsView.as_view(), name="dataset_versions"
    ),
    path(
        "datasets/<uuid:pk>/restrict",
        RestrictDatasetView.as_view(),
        name="restrict_dataset",
    ),
    path("datasets/<uuid:pk>/open", OpenDatasetView.as_view(), name="open_dataset"),
    path("datasets/<uuid:pk>/grants", GrantsView.as_view(), name="dataset_grants"),
    path(
        "datasets/<uuid:pk>/grants/<uuid:person_pk>",
        GrantView.as_view(),
        name="dataset_grant",
    ),
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
]
