"""Sources on the allow-list: what lies there, and importing it."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, rules, sources
from apps.datasets.api_sealed import SealInput
from apps.datasets.api_versions import DatasetVersionOutput, accepted
from apps.datasets.models import Dataset
from apps.datasets.sealing import seal_in
from apps.projects.models import Project


class DatasetVersionImport(SealInput):
    # Taken out of the class by its metaclass, so that it hides nothing.
    source = serializers.CharField(max_length=60)  # type: ignore[assignment]
    path = serializers.CharField(max_length=1000, trim_whitespace=False)


class DatasetImport(DatasetVersionImport):
    name = serializers.SlugField(max_length=60)
    title = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(
        max_length=4000, required=False, allow_blank=True
    )


class SourceOutput(serializers.Serializer[Any]):
    name = serializers.CharField()


class SourcesOutput(serializers.Serializer[Any]):
    results = SourceOutput(many=True)


class SourceEntryOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.CharField()
    is_folder = serializers.BooleanField()
    size_bytes = serializers.IntegerField(allow_null=True)
    modified_at = serializers.DateTimeField(allow_null=True)


class SourceListingOutput(serializers.Serializer[Any]):
    results = SourceEntryOutput(source="entries", many=True)
    after = serializers.CharField(allow_blank=True)


class _ProjectBase(ApiView):
    serializer_class: Any = DatasetVersionOutput

    def _project(self) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        project = get_object_or_404(visible, slug=self.kwargs["slug"])
        ensure(rules.can_import_dataset(self.request.user, project))
        return project


class SourcesView(_ProjectBase):
    @extend_schema(operation_id="projects_sources_list", responses=SourcesOutput)
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Sources that a project can import from."""
        names = sources.source_names(self._project())
        return Response({"results": [{"name": name} for name in names]})


class SourceView(_ProjectBase):
    @extend_schema(
        parameters=[
            OpenApiParameter("folder", description="Path of a folder."),
            OpenApiParameter("begins", description="What the names begin with."),
            OpenApiParameter("after", description="From the page before."),
        ],
        responses=SourceListingOutput,
    )
    def get(self, request: ApiRequest, slug: str, source: str) -> Response:
        """A folder of a source: at most 100 names; `after` asks for the next ones."""
        asked = {
            name: request.query_params.get(name, "") for name in ("begins", "after")
        }
        listing = sources.source_of(self._project(), source).listing(
            request.query_params.get("folder", ""), **asked
        )
        return Response(SourceListingOutput(listing).data)


class ImportDatasetView(_ProjectBase):
    @extend_schema(request=DatasetImport, responses={202: DatasetVersionOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Import a file under a name: a new dataset, or the next version of one."""
        project = self._project()
        given = DatasetImport(data=request.data)
        given.is_valid(raise_exception=True)
        version = actions.import_dataset(
            project=project,
            values=given.validated_data,
            place=_place(given),
            by=request.user,
        )
        return accepted(version)


class ImportVersionView(ApiView):
    serializer_class = DatasetVersionOutput

    @extend_schema(request=DatasetVersionImport, responses={202: DatasetVersionOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Import a file as the next version of a dataset."""
        visible = Dataset.objects.visible_to(request.user).select_related("project")
        dataset = get_object_or_404(visible, pk=pk)
        ensure(rules.can_import_version(request.user, dataset))
        given = DatasetVersionImport(data=request.data)
        given.is_valid(raise_exception=True)
        version = actions.import_version(
            dataset=dataset, place=_place(given), by=request.user
        )
        return accepted(version)


def _place(given: DatasetVersionImport) -> actions.SourcePlace:
    data = given.validated_data
    return actions.SourcePlace(data["source"], data["path"], seal_in(data))


urlpatterns = [
    path("projects/<slug:slug>/sources", SourcesView.as_view(), name="sources"),
    path(
        "projects/<slug:slug>/sources/<slug:source>",
        SourceView.as_view(),
        name="source",
    ),
    path(
        "projects/<slug:slug>/imports",
        ImportDatasetView.as_view(),
        name="import_dataset",
    ),
    path(
        "datasets/<uuid:pk>/imports",
        ImportVersionView.as_view(),
        name="import_version",
    ),
]
