from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.experiments.models import Run
from apps.jobs.actions import cancel_job
from apps.training import actions, sending
from apps.training.api import TrainingFailure
from apps.training.models import Regeneration


class ToleranceInput(serializers.Serializer[Any]):
    predictions = serializers.FloatField(min_value=0)
    metrics = serializers.FloatField(min_value=0)


class RegenerationInput(serializers.Serializer[Any]):
    tolerance = ToleranceInput(
        required=False,
        allow_null=True,
        default=None,
        help_text="Largest differences that still count as the same; null asks for "
        "equality byte for byte.",
    )


class RegenerationRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    run = serializers.UUIDField(source="run_id")
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    verdict = serializers.CharField()
    tolerance = serializers.DictField(allow_null=True)
    record_sha256 = serializers.CharField()
    certificate_sha256 = serializers.CharField()
    asked_by = serializers.CharField(source="asked_by.full_name")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.SerializerMethodField()
    status_url = serializers.SerializerMethodField()

    @extend_schema_field(TrainingFailure(allow_null=True))
    def get_failure(self, found: Regeneration) -> dict[str, Any] | None:
        return TrainingFailure(found).data if found.failure_code else None

    def get_status_url(self, found: Regeneration) -> str:
        return reverse("v1:regeneration", args=[found.pk])


class RegenerationOutput(RegenerationRow):
    certificate = serializers.DictField(source="facts")


class _RunBase(ApiView):
    serializer_class = RegenerationOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        visible = Run.objects.visible_to(self.request.user)
        return visible.select_related("experiment__project")


class RegenerationsView(_RunBase):
    @extend_schema(responses=RegenerationRow(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Regenerations of a run, newest first."""
        rows = self.get_object().regenerations.select_related("asked_by")
        page = self.paginate_queryset(rows.defer("certificate", "log_tail"))
        return self.get_paginated_response(RegenerationRow(page, many=True).data)

    @extend_schema(request=RegenerationInput, responses={202: RegenerationOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Have a run done again; `status_url` tells how it goes."""
        run = self.get_object()
        given = RegenerationInput(data=request.data)
        given.is_valid(raise_exception=True)
        found = actions.request_regeneration(
            run=run, tolerance=given.validated_data["tolerance"], by=request.user
        )
        body = RegenerationOutput(found).data
        headers = {"Location": body["status_url"]}
        return Response(body, status=202, headers=headers)


class RegenerationBundleView(_RunBase):
    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: ApiRequest, pk: UUID) -> StreamingHttpResponse:
        """All that is needed to do a run again elsewhere; the download is recorded."""
        bundle = actions.download_regeneration_bundle(
            run=self.get_object(), by=request.user
        )
        return sending.bundle_answer(bundle)


class _RegenerationBase(ApiView):
    serializer_class = RegenerationOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        visible = Regeneration.objects.visible_to(self.request.user)
        return visible.select_related("run__experiment__project", "asked_by")


class RegenerationView(ETagMixin, _RegenerationBase):
    @extend_schema(responses=RegenerationOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """How a regeneration goes, and what its certificate says."""
        return Response(RegenerationOutput(self.get_object()).data)


class CancelRegenerationView(_RegenerationBase):
    @extend_schema(request=None, responses=RegenerationOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop a regeneration."""
        found = cancel_job(job=self.get_object(), by=request.user)
        return Response(RegenerationOutput(found).data)


class CertificateView(_RegenerationBase):
    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: ApiRequest, pk: UUID) -> HttpResponse:
        """The certificate with the proof that its event is sealed."""
        found = get_object_or_404(self.get_queryset(), pk=pk)
        return sending.certificate_answer(found)


urlpatterns = [
    path(
        "runs/<uuid:pk>/regenerations",
        RegenerationsView.as_view(),
        name="regenerations",
    ),
    path(
        "runs/<uuid:pk>/regeneration-bundle",
        RegenerationBundleView.as_view(),
        name="regeneration_bundle",
    ),
    path("regenerations/<uuid:pk>", RegenerationView.as_view(), name="regeneration"),
    path(
        "regenerations/<uuid:pk>/cancel",
        CancelRegenerationView.as_view(),
        name="cancel_regeneration",
    ),
    path(
        "regenerations/<uuid:pk>/certificate",
        CertificateView.as_view(),
        name="regeneration_certificate",
    ),
]
