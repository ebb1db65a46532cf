"""The REST API of people's own code."""

import json
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.actions import cancel_job
from apps.projects.models import Project
from apps.training import actions, queries, rules
from apps.training.models import CodeJob


class CodeJobInput(serializers.Serializer[Any]):
    experiment = serializers.UUIDField()
    dataset_version = serializers.UUIDField()
    name = serializers.CharField(max_length=120)
    code = serializers.FileField(
        help_text="A zip or git bundle with project.yaml at its top."
    )
    ref = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text="Branch or tag of a git bundle; HEAD when absent.",
    )
    parameters = serializers.CharField(
        required=False, default="{}", max_length=20_000, help_text="JSON by name."
    )
    seed = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=2**32 - 1
    )
    submission_key = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Sent again with the same key, the first job is returned.",
    )

    def validate_parameters(self, value: str) -> dict[str, Any]:
        try:
            given = json.loads(value)
        except (ValueError, RecursionError):
            raise serializers.ValidationError("Must be JSON.") from None
        if not isinstance(given, dict):
            raise serializers.ValidationError("Must be an object.")
        return given


class CodeJobRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    experiment = serializers.UUIDField(source="experiment_id")
    dataset_version = serializers.UUIDField(source="dataset_version_id")
    code_sha256 = serializers.CharField()
    commit_id = serializers.CharField(help_text="Of a git bundle; empty for a zip.")
    tree_digest = serializers.CharField()
    run = serializers.UUIDField(source="run_id", allow_null=True)
    launched_by = serializers.CharField(source="launched_by.full_name")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    status_url = serializers.SerializerMethodField()

    @extend_schema_field(str)
    def get_status_url(self, job: CodeJob) -> str:
        return reverse("v1:code_job", args=[job.pk])


class CodeJobOutput(CodeJobRow):
    spec = serializers.DictField()
    log_tail = serializers.CharField()
    failure_details = serializers.JSONField()
    live_metrics = serializers.JSONField()
    usage = serializers.JSONField()


class _CodeBase(ApiView):
    serializer_class: Any = CodeJobOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        jobs = CodeJob.objects.visible_to(self.request.user)
        return queries.with_code_origins(jobs)


class CodeJobsView(_CodeBase):
    @extend_schema(responses=CodeJobRow(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Jobs with people's own code in a project, newest first."""
        jobs = self.get_queryset().filter(experiment__project=self._project(slug))
        page = self.paginate_queryset(jobs.defer(*queries.CODE_HEAVY))
        return self.get_paginated_response(CodeJobRow(page, many=True).data)

    @extend_schema(
        request={"multipart/form-data": CodeJobInput}, responses={202: CodeJobOutput}
    )
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Run own code; `status_url` tells how it goes."""
        project = self._project(slug)
        ensure(rules.can_launch_code(request.user, project))
        given = CodeJobInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        experiments = Experiment.objects.visible_to(request.user)
        versions = DatasetVersion.objects.visible_to(request.user)
        job = actions.launch_code(
            experiment=get_object_or_404(
                experiments, pk=values.pop("experiment"), project=project
            ),
            dataset_version=get_object_or_404(
                versions, pk=values.pop("dataset_version")
            ),
            code=values.pop("code"),
            wish=values,
            by=request.user,
        )
        body = CodeJobOutput(job).data
        headers = {"Location": body["status_url"]}
        return Response(body, status=202, headers=headers)

    def _project(self, slug: str) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=slug)


class CodeJobView(ETagMixin, _CodeBase):
    @extend_schema(responses=CodeJobOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """How a job with own code goes, and what came of it."""
        return Response(CodeJobOutput(self.get_object()).data)


class CancelCodeView(_CodeBase):
    @extend_schema(request=None, responses=CodeJobOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop a job with own code."""
        job = cancel_job(job=self.get_object(), by=request.user)
        return Response(CodeJobOutput(job).data)


urlpatterns = [
    path("projects/<slug:slug>/code-jobs", CodeJobsView.as_view(), name="code_jobs"),
    path("code-jobs/<uuid:pk>", CodeJobView.as_view(), name="code_job"),
    path("code-jobs/<uuid:pk>/cancel", CancelCodeView.as_view(), name="cancel_code"),
]
