from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, queries, rules
from apps.datasets.models import MOST_LOOKS, Dataset, DatasetVersion, SealedPart
from apps.datasets.sealing import DEFAULT_RATIO, METHODS
from apps.jobs.actions import cancel_job
from apps.projects.models import Project


class SealInput(serializers.Serializer[Any]):
    """How rows are put aside; none are unless `seal_method` is given."""

    seal_method = serializers.ChoiceField(choices=list(METHODS), required=False)
    seal_ratio = serializers.FloatField(required=False, default=DEFAULT_RATIO)
    seal_column = serializers.CharField(required=False, max_length=255)
    seal_seed = serializers.IntegerField(required=False, default=0)


class SealedPartUpload(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=255)


class SealedPartOutput(serializers.Serializer[Any]):
    """What may be known of sealed rows: their number and how they were chosen."""

    id = serializers.UUIDField()
    version_id = serializers.UUIDField()
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    how = serializers.CharField()
    row_count = serializers.IntegerField(allow_null=True)
    repeated_count = serializers.IntegerField(allow_null=True)
    parquet_sha256 = serializers.CharField()
    added_by = serializers.EmailField(source="added_by.email")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    status_url = serializers.SerializerMethodField()

    def get_status_url(self, part: SealedPart) -> str:
        return reverse("v1:sealed_part", args=[part.pk])


class SealedBudgetInput(serializers.Serializer[Any]):
    looks = serializers.IntegerField(min_value=0, max_value=MOST_LOOKS)
    reason = serializers.CharField(max_length=4000)


class SealedBudgetOutput(serializers.Serializer[Any]):
    looks = serializers.IntegerField()
    reason = serializers.CharField(default="")
    set_by = serializers.EmailField(source="set_by.email", default=None)
    set_at = serializers.DateTimeField(default=None)


def _accepted(part: SealedPart) -> Response:
    body = SealedPartOutput(part).data
    return Response(body, status=202, headers={"Location": body["status_url"]})


class SealedPartsView(ApiView):
    serializer_class: Any = SealedPartOutput

    def get_queryset(self) -> Any:
        return Dataset.objects.visible_to(self.request.user)

    @extend_schema(responses=SealedPartOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Sealed parts of the versions of a dataset, newest first."""
        page = self.paginate_queryset(queries.sealed_parts_of(self.get_object()))
        return self.get_paginated_response(SealedPartOutput(page, many=True).data)


class UploadSealedPartView(ApiView):
    serializer_class: Any = SealedPartOutput
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> Any:
        visible = DatasetVersion.objects.visible_to(self.request.user)
        return visible.select_related("dataset__project")

    @extend_schema(
        request={"multipart/form-data": SealedPartUpload},
        responses={202: SealedPartOutput},
    )
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Upload rows of a version that only workers will read."""
        version = self.get_object()
        ensure(rules.can_upload_sealed_part(request.user, version))
        given = SealedPartUpload(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        part = actions.upload_sealed_part(
            version=version, content=file, original_name=file.name, by=request.user
        )
        return _accepted(part)


class _SealedPartBase(ApiView):
    serializer_class: Any = SealedPartOutput

    def get_queryset(self) -> Any:
        visible = SealedPart.objects.visible_to(self.request.user)
        return visible.select_related("version__dataset__project", "added_by")


class SealedPartView(ETagMixin, _SealedPartBase):
    @extend_schema(responses=SealedPartOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One sealed part: how many rows, and how they were chosen."""
        return Response(SealedPartOutput(self.get_object()).data)


class CancelSealedPartView(_SealedPartBase):
    @extend_schema(request=None, responses={202: SealedPartOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop the reading of sealed rows."""
        return _accepted(cancel_job(job=self.get_object(), by=request.user))


class SealedBudgetView(ApiView):
    serializer_class: Any = SealedBudgetOutput

    def _project(self) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=self.kwargs["slug"])

    @extend_schema(responses=SealedBudgetOutput)
    def get(self, request: ApiRequest, slug: str) -> Response:
        """How often each model may look at the sealed rows of a dataset."""
        project = self._project()
        budget = queries.budget_of(project)
        default = {"looks": queries.looks_allowed(project)}
        return Response(SealedBudgetOutput(budget or default).data)

    @extend_schema(request=SealedBudgetInput, responses=SealedBudgetOutput)
    def put(self, request: ApiRequest, slug: str) -> Response:
        """Set the budget of looks, with the reason."""
        project = self._project()
        ensure(rules.can_set_sealed_budget(request.user, project))
        given = SealedBudgetInput(data=request.data)
        given.is_valid(raise_exception=True)
        budget = actions.set_sealed_budget(
            project=project, **given.validated_data, by=request.user
        )
        return Response(SealedBudgetOutput(budget).data)


urlpatterns = [
    path(
        "datasets/<uuid:pk>/sealed-parts",
        SealedPartsView.as_view(),
        name="sealed_parts",
    ),
    path(
        "dataset-versions/<uuid:pk>/sealed-part",
        UploadSealedPartView.as_view(),
        name="upload_sealed_part",
    ),
    path("sealed-parts/<uuid:pk>", SealedPartView.as_view(), name="sealed_part"),
    path(
        "sealed-parts/<uuid:pk>/cancel",
        CancelSealedPartView.as_view(),
        name="cancel_sealed_part",
    ),
    path(
        "projects/<slug:slug>/sealed-budget",
        SealedBudgetView.as_view(),
        name="sealed_budget",
    ),
]
