from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import (
    extend_schema,
)
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import (
    actions,
    api_contracts,
    api_datasheets,
    api_diffs,
    api_imports,
    api_sealed,
    api_uploads,
    api_versions,
    queries,
    rules,
)
from apps.datasets.api_sealed import SealInput
from apps.datasets.api_versions import DatasetVersionOutput, accepted
from apps.datasets.models import Dataset
from apps.datasets.sealing import seal_in
from apps.projects.api_access import GrantBase, GrantsBase, OpenBase, RestrictBase
from apps.projects.models import Project


class DatasetUpload(SealInput):
    name = serializers.SlugField(max_length=60)
    title = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(
        max_length=4000, required=False, allow_blank=True
    )
    file = serializers.FileField(max_length=255)


class DatasetVersionUpload(SealInput):
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
        request={"multipart/form-data": DatasetUpload},
        responses={202: DatasetVersionOutput},
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
            seal=seal_in(given.validated_data),
            by=request.user,
        )
        return accepted(version)


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

    @extend_schema(responses=DatasetVersionOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Versions of a dataset, newest first."""
        versions = self.get_object().versions.select_related("uploaded_by")
        page = self.paginate_queryset(versions.defer(*queries.HEAVY_FIELDS))
        return self.get_paginated_response(DatasetVersionOutput(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": DatasetVersionUpload},
        responses={202: DatasetVersionOutput},
    )
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Upload a file as the next version."""
        dataset = self.get_object()
        ensure(rules.can_upload_version(request.user, dataset))
        given = DatasetVersionUpload(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        version = actions.upload_version(
            dataset=dataset,
            content=file,
            original_name=file.name,
            seal=seal_in(given.validated_data),
            by=request.user,
        )
        return accepted(version)


class RestrictDatasetView(RestrictBase, _DatasetBase): ...


class OpenDatasetView(OpenBase, _DatasetBase): ...


class DatasetGrantsView(GrantsBase, _DatasetBase): ...


class DatasetGrantView(GrantBase, _DatasetBase): ...


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
    path(
        "datasets/<uuid:pk>/grants", DatasetGrantsView.as_view(), name="dataset_grants"
    ),
    path(
        "datasets/<uuid:pk>/grants/<uuid:person_pk>",
        DatasetGrantView.as_view(),
        name="dataset_grant",
    ),
    *api_datasheets.urlpatterns,
    *api_sealed.urlpatterns,
    *api_versions.urlpatterns,
    *api_uploads.urlpatterns,
    *api_imports.urlpatterns,
    *api_contracts.urlpatterns,
    *api_diffs.urlpatterns,
]
