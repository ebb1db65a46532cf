from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.errors import Invalid
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, queries, rules
from apps.datasets.models import Dataset, VersionDiff
from apps.jobs.actions import cancel_job


class DiffInput(serializers.Serializer[Any]):
    before = serializers.IntegerField(min_value=1, help_text="Number of a version.")
    after = serializers.IntegerField(min_value=1, help_text="Number of a version.")
    key = serializers.ListField(
        child=serializers.CharField(max_length=500), default=list
    )


class DiffOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    before = serializers.IntegerField(source="before.number")
    after = serializers.IntegerField(source="after.number")
    key = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    asked_by = serializers.EmailField(source="asked_by.email")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    status_url = serializers.SerializerMethodField()

    def get_status_url(self, diff: VersionDiff) -> str:
        return reverse("v1:diff", args=[diff.pk])


class DiffDetail(DiffOutput):
    row_groups = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()

    def get_row_groups(self, diff: VersionDiff) -> dict[str, Any] | None:
        return queries.changed_groups(diff.before, diff.after)

    def get_result(self, diff: VersionDiff) -> dict[str, Any]:
        may = rules.can_download_diff(self.context["user"], diff)
        return queries.diff_result(diff, with_rows=bool(may))


def _accepted(diff: VersionDiff) -> Response:
    data = DiffOutput(diff).data
    return Response(data, status=202, headers={"Location": data["status_url"]})


class DiffsView(ApiView):
    serializer_class = DiffOutput

    def get_queryset(self) -> Any:
        return Dataset.objects.visible_to(self.request.user).select_related("project")

    @extend_schema(responses=DiffOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Comparisons of a dataset's versions, newest first."""
        made = VersionDiff.objects.visible_to(request.user)
        made = made.filter(after__dataset=self.get_object())
        page = self.paginate_queryset(
            made.select_related("before", "after", "asked_by").defer(
                *queries.HEAVY_DIFF_FIELDS
            )
        )
        return self.get_paginated_response(DiffOutput(page, many=True).data)

    @extend_schema(request=DiffInput, responses={202: DiffOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Have two versions compared; the same question gets the same comparison."""
        dataset = self.get_object()
        given = DiffInput(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        pair = queries.chosen_pair(dataset, str(asked["before"]), str(asked["after"]))
        if pair is None:
            raise Invalid("Choose two versions of this dataset that were read.")
        diff = actions.request_diff(
            before=pair[0], after=pair[1], key=asked["key"], by=request.user
        )
        return _accepted(diff)


class _DiffBase(ApiView):
    serializer_class = DiffDetail

    def get_queryset(self) -> Any:
        visible = VersionDiff.objects.visible_to(self.request.user)
        return visible.select_related("before", "after__dataset__project", "asked_by")


class DiffView(ETagMixin, _DiffBase):
    @extend_schema(responses=DiffDetail)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One comparison; the rows themselves only for who may download them."""
        detail = DiffDetail(self.get_object(), context={"user": request.user})
        return Response(detail.data)


class CancelDiffView(_DiffBase):
    @extend_schema(request=None, responses={202: DiffOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop a comparison."""
        return _accepted(cancel_job(job=self.get_object(), by=request.user))


class DownloadDiffView(_DiffBase):
    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: ApiRequest, pk: UUID) -> HttpResponse:
        """The changed rows that a comparison shows, as CSV. It is recorded."""
        text = actions.download_diff(diff=self.get_object(), by=request.user)
        return HttpResponse(text, content_type="text/csv; charset=utf-8")


urlpatterns = [
    path("datasets/<uuid:pk>/diffs", DiffsView.as_view(), name="diffs"),
    path("dataset-diffs/<uuid:pk>", DiffView.as_view(), name="diff"),
    path(
        "dataset-diffs/<uuid:pk>/cancel", CancelDiffView.as_view(), name="cancel_diff"
    ),
    path(
        "dataset-diffs/<uuid:pk>/download",
        DownloadDiffView.as_view(),
        name="download_diff",
    ),
]
