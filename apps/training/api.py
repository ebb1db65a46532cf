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
from apps.training import actions, live, queries, rules
from apps.training.api_schema import TrainingSpecSchemaView
from apps.training.models import TrainingJob
from engine.spec import ESTIMATORS

LARGE = ("log_tail", "failure_details", "spec", "live_metrics", "usage")


class TrainingJobInput(serializers.Serializer[Any]):
    experiment = serializers.UUIDField()
    dataset_version = serializers.UUIDField()
    name = serializers.CharField(max_length=120)
    spec = serializers.DictField(
        help_text="As the engine takes it: task, target, positive_label, features, "
        "estimator, parameters, search, class_weight, test_ratio, seed, cost, limits. "
        "A missing cost is taken from the objective of the project."
    )
    submission_key = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Sent again with the same key, the first job is returned.",
    )


class TrainingFailure(serializers.Serializer[Any]):
    code = serializers.CharField(source="failure_code")
    message = serializers.CharField(source="failure_message")


class TrainingJobRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField()
    stage = serializers.CharField()
    progress_ratio = serializers.FloatField()
    experiment = serializers.UUIDField(source="experiment_id")
    dataset_version = serializers.UUIDField(source="dataset_version_id")
    run = serializers.UUIDField(source="run_id", allow_null=True)
    launched_by = serializers.CharField(source="launched_by.full_name")
    attempt = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.SerializerMethodField()
    relaunch_of = serializers.UUIDField(source="relaunch_of_id", allow_null=True)
    status_url = serializers.SerializerMethodField()

    @extend_schema_field(TrainingFailure(allow_null=True))
    def get_failure(self, job: TrainingJob) -> dict[str, Any] | None:
        return TrainingFailure(job).data if job.failure_code else None

    def get_status_url(self, job: TrainingJob) -> str:
        return reverse("v1:training_job", args=[job.pk])


class TrainingJobOutput(TrainingJobRow):
    spec = serializers.DictField()
    log_tail = serializers.CharField()
    live_metrics = serializers.ListField(
        child=serializers.ListField(),
        help_text="Latest points while it runs, each as key, step and value.",
    )
    usage = serializers.DictField(
        help_text="cpu_seconds, memory_bytes, memory_peak_bytes and disk_bytes."
    )
    queue_position = serializers.SerializerMethodField()

    def get_queue_position(self, job: TrainingJob) -> int | None:
        found = live.outlook(job)
        return found.place if found else None


class _JobBase(ApiView):
    serializer_class = TrainingJobOutput
    lookup_field = "pk"

    def get_queryset(self) -> Any:
        jobs = TrainingJob.objects.visible_to(self.request.user)
        return queries.with_origins(jobs)


class TrainingJobsView(_JobBase):
    @extend_schema(responses=TrainingJobRow(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Training jobs of a project, newest first."""
        project = self._project(slug)
        jobs = self.get_queryset().filter(experiment__project=project)
        page = self.paginate_queryset(jobs.defer(*LARGE))
        return self.get_paginated_response(TrainingJobRow(page, many=True).data)

    @extend_schema(request=TrainingJobInput, responses={202: TrainingJobOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Launch training; `status_url` tells how it goes."""
        project = self._project(slug)
        ensure(rules.can_launch_training(request.user, project))
        given = TrainingJobInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        experiments = Experiment.objects.visible_to(request.user).filter(
            project=project
        )
        versions = DatasetVersion.objects.visible_to(request.user)
        job = actions.launch_training(
            experiment=get_object_or_404(experiments, pk=values["experiment"]),
            dataset_version=get_object_or_404(versions, pk=values["dataset_version"]),
            name=values["name"],
            spec=values["spec"],
            submission_key=values["submission_key"],
            by=request.user,
        )
        body = TrainingJobOutput(job).data
        headers = {"Location": body["status_url"]}
        return Response(body, status=202, headers=headers)

    def _project(self, slug: str) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=slug)


class TrainingJobView(ETagMixin, _JobBase):
    @extend_schema(responses=TrainingJobOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """How a training job goes, and what came of it."""
        return Response(TrainingJobOutput(self.get_object()).data)


class CancelTrainingView(_JobBase):
    @extend_schema(request=None, responses=TrainingJobOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Stop a training job."""
        job = cancel_job(job=self.get_object(), by=request.user)
        return Response(TrainingJobOutput(job).data)


class RelaunchTrainingView(_JobBase):
    @extend_schema(request=None, responses={202: TrainingJobOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Launch a training again that failed or was cancelled."""
        job = actions.relaunch_training(job=self.get_object(), by=request.user)
        body = TrainingJobOutput(job).data
        return Response(body, status=202, headers={"Location": body["status_url"]})


class ParameterOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    help = serializers.CharField()
    kind = serializers.CharField()
    default = serializers.JSONField()
    minimum = serializers.FloatField()
    maximum = serializers.FloatField()
    choices = serializers.ListField(child=serializers.CharField())
    is_searched = serializers.BooleanField()
    docs = serializers.CharField()


class EstimatorOutput(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()
    help = serializers.CharField()
    tasks = serializers.ListField(child=serializers.CharField())
    docs = serializers.CharField()
    has_class_weight = serializers.BooleanField()
    needs_calibration = serializers.BooleanField()
    most_rows = serializers.IntegerField(allow_null=True)
    parameters = ParameterOutput(many=True)


class CatalogueOutput(serializers.Serializer[Any]):
    estimators = EstimatorOutput(many=True)


class TrainingCatalogueView(ETagMixin, ApiView):
    serializer_class = CatalogueOutput

    @extend_schema(responses=CatalogueOutput)
    def get(self, request: ApiRequest) -> Response:
        """Kinds of models and their settings."""
        found = EstimatorOutput(list(ESTIMATORS.values()), many=True).data
        return Response({"estimators": found})


urlpatterns = [
    path(
        "projects/<slug:slug>/training-jobs",
        TrainingJobsView.as_view(),
        name="training_jobs",
    ),
    path("training-jobs/<uuid:pk>", TrainingJobView.as_view(), name="training_job"),
    path(
        "training-jobs/<uuid:pk>/cancel",
        CancelTrainingView.as_view(),
        name="cancel_training",
    ),
    path(
        "training-jobs/<uuid:pk>/relaunch",
        RelaunchTrainingView.as_view(),
        name="relaunch_training",
    ),
    path(
        "training-catalogue",
        TrainingCatalogueView.as_view(),
        name="training_catalogue",
    ),
    path(
        "training-spec-schema",
        TrainingSpecSchemaView.as_view(),
        name="training_spec_schema",
    ),
]
