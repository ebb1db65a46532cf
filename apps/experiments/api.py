import io
from typing import Any
from uuid import UUID

from django.http import FileResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core import blobs
from apps.core.errors import Invalid
from apps.core.http import send_blob
from apps.core.media_types import media_type_of
from apps.core.parsers import PortalJSONParser
from apps.core.rest import ETagMixin
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets.models import DatasetVersion
from apps.experiments import actions, comparing, queries, rules
from apps.experiments.actions import ArtifactFile, MetricPoint, RunContent
from apps.experiments.models import Artifact, Experiment, Run, RunSource
from apps.projects.models import Project


class ExperimentInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=4000, default="", allow_blank=True)


class ExperimentOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.SlugField(source="project.slug")
    name = serializers.CharField()
    description = serializers.CharField()
    run_count = serializers.IntegerField(default=0)
    created_at = serializers.DateTimeField()


@extend_schema_field(
    {"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}
)
class ScalarField(serializers.Field[Any, Any, Any, Any]):
    """Text, a number, or true and false: what a parameter can be."""

    default_error_messages = {"invalid": "Give text, a number, true or false."}

    def to_internal_value(self, data: Any) -> str | int | float | bool:
        if isinstance(data, str | int | float):
            return data
        return self.fail("invalid")


class MetricShape(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=250)
    value = serializers.FloatField()
    step = serializers.IntegerField(default=0)


class RunInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    parameters = serializers.DictField(child=ScalarField(), default=dict)
    metrics = MetricShape(many=True, default=list)
    dataset_version_id = serializers.UUIDField(required=False, allow_null=True)


class RunOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    project = serializers.SlugField(source="experiment.project.slug")
    experiment_id = serializers.UUIDField()
    name = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field's name
    dataset_version_id = serializers.UUIDField(allow_null=True)
    recorded_by = serializers.EmailField(source="recorded_by.email")
    recorded_at = serializers.DateTimeField()


class RunListed(RunOutput):
    metrics = serializers.SerializerMethodField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}})
    def get_metrics(self, run: Run) -> dict[str, float]:
        found: dict[str, float] = self.context["latest"].get(run.pk, {})
        return found


class ArtifactOutput(serializers.Serializer[Any]):
    path = serializers.CharField()
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()
    media_type = serializers.CharField()
    url = serializers.SerializerMethodField()

    def get_url(self, artifact: Artifact) -> str:
        return reverse("v1:artifact", args=[artifact.run_id, artifact.path])


class RunDetail(RunOutput):
    parameters = serializers.SerializerMethodField()
    metrics = serializers.SerializerMethodField()
    artifacts = serializers.SerializerMethodField()
    summary = serializers.JSONField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_parameters(self, run: Run) -> dict[str, str]:
        return dict(run.parameters.order_by("key").values_list("key", "value"))

    @extend_schema_field(MetricShape(many=True))
    def get_metrics(self, run: Run) -> Any:
        points = run.metrics.filter(queries.FINITE).order_by("key", "step", "timestamp")
        return list(points.values("key", "value", "step"))

    @extend_schema_field(ArtifactOutput(many=True))
    def get_artifacts(self, run: Run) -> Any:
        return ArtifactOutput(run.artifacts.order_by("path"), many=True).data


class _ProjectBase(ApiView):
    def project(self) -> Project:
        visible = Project.objects.visible_to(self.request.user)
        return get_object_or_404(visible, slug=self.kwargs["slug"])


class _ExperimentBase(ApiView):
    serializer_class = ExperimentOutput

    def get_queryset(self) -> Any:
        visible = Experiment.objects.visible_to(self.request.user)
        return queries.with_run_counts(visible).select_related("project")


class ExperimentsView(_ProjectBase, _ExperimentBase):
    @extend_schema(responses=ExperimentOutput(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Experiments of a project, newest first."""
        page = self.paginate_queryset(
            self.get_queryset().active().filter(project=self.project())
        )
        return self.get_paginated_response(ExperimentOutput(page, many=True).data)

    @extend_schema(request=ExperimentInput, responses={201: ExperimentOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Start a group of runs."""
        project = self.project()
        given = ExperimentInput(data=request.data)
        given.is_valid(raise_exception=True)
        experiment = actions.create_experiment(
            project=project, **given.validated_data, by=request.user
        )
        return Response(
            ExperimentOutput(experiment).data,
            status=201,
            headers={"Location": reverse("v1:experiment", args=[experiment.pk])},
        )


class ExperimentView(ETagMixin, _ExperimentBase):
    @extend_schema(responses=ExperimentOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One experiment."""
        return Response(ExperimentOutput(self.get_object()).data)


class _RunBase(ApiView):
    serializer_class: Any = RunDetail

    def get_queryset(self) -> Any:
        visible = Run.objects.visible_to(self.request.user)
        return visible.select_related("experiment__project", "recorded_by")

    def page_of(self, runs: Any) -> Response:
        page = self.paginate_queryset(runs.defer("summary")) or []
        shown = RunListed(
            page, many=True, context={"latest": queries.latest_metrics(page)}
        )
        return self.get_paginated_response(shown.data)


class ProjectRunsView(_ProjectBase, _RunBase):
    @extend_schema(responses=RunListed(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Runs of all experiments of a project, newest first."""
        project = self.project()
        return self.page_of(
            self.get_queryset().active().filter(experiment__project=project)
        )


class RunsView(_RunBase):
    parser_classes = [PortalJSONParser, MultiPartParser]

    def experiment(self) -> Experiment:
        visible = Experiment.objects.visible_to(self.request.user)
        return get_object_or_404(
            visible.select_related("project"), pk=self.kwargs["pk"]
        )

    @extend_schema(responses=RunListed(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Runs of an experiment, newest first, with their last metrics."""
        return self.page_of(
            self.get_queryset().active().filter(experiment=self.experiment())
        )

    @extend_schema(
        request={
            "application/json": RunInput,
            "multipart/form-data": {
                "type": "object",
                "properties": {"run": {"type": "string"}},
                "required": ["run"],
                "additionalProperties": {"type": "string", "format": "binary"},
            },
        },
        responses={201: RunDetail},
    )
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Record a finished run.

        Send JSON; or, with artifacts, a form whose field `run` is that JSON and whose
        files are named by the path that each artifact shall have.
        """
        experiment = self.experiment()
        ensure(rules.can_record_run(request.user, experiment))
        given = RunInput(data=_run_data(request))
        given.is_valid(raise_exception=True)
        content = _content(given.validated_data, request)
        run = actions.record_run(
            experiment=experiment, content=content, by=request.user
        )
        return Response(
            RunDetail(run).data,
            status=201,
            headers={"Location": reverse("v1:run", args=[run.pk])},
        )


def _run_data(request: ApiRequest) -> Any:
    if not isinstance(request.data, QueryDict):
        return request.data
    text = str(request.data.get("run"))
    try:
        return PortalJSONParser().parse(io.BytesIO(text.encode()))
    except ParseError as error:
        sentence = "The field run must hold the JSON that describes the run."
        raise Invalid(sentence, fields={"run": sentence}) from error


def _content(given: dict[str, Any], request: ApiRequest) -> RunContent:
    return RunContent(
        name=given["name"],
        source=RunSource.API,
        parameters=given["parameters"],
        metrics=[MetricPoint(**point) for point in given["metrics"]],
        artifacts=[
            ArtifactFile(
                path,
                blobs.store(file),
                media_type_of(path),
            )
            for path, file in request.FILES.items()
        ],
        dataset_version=_dataset_version(given.get("dataset_version_id"), request),
    )


def _dataset_version(pk: UUID | None, request: ApiRequest) -> DatasetVersion | None:
    if pk is None:
        return None
    visible = DatasetVersion.objects.visible_to(request.user)
    version = visible.ready().select_related("dataset__project").filter(pk=pk).first()
    if version is None:
        sentence = "There is no dataset version with this id that is ready."
        raise Invalid(sentence, fields={"dataset_version_id": sentence})
    return version


class RunView(ETagMixin, _RunBase):
    @extend_schema(responses=RunDetail)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """One run with parameters, metrics and artifacts."""
        return Response(RunDetail(self.get_object()).data)


class ComparedRun(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    experiment = serializers.CharField(source="experiment.name")


class ComparedLine(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    values = serializers.ListField(
        child=serializers.JSONField(), help_text="In the order of the runs."
    )
    differs = serializers.BooleanField()


class ComparisonOutput(serializers.Serializer[Any]):
    runs = ComparedRun(many=True)
    metrics = ComparedLine(many=True)
    parameters = ComparedLine(many=True)
    tags = ComparedLine(many=True, help_text="Without those of MLflow for itself.")
    origins = ComparedLine(many=True, help_text="Data, code and environment.")


class ComparisonView(ApiView):
    serializer_class = ComparisonOutput

    @extend_schema(
        responses=ComparisonOutput,
        parameters=[OpenApiParameter("run", OpenApiTypes.UUID, many=True)],
    )
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Two to twenty runs of a project side by side; name each as `run`."""
        project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
        visible = Run.objects.visible_to(request.user)
        runs = comparing.chosen_runs(
            visible.filter(experiment__project=project).select_related(
                "recorded_by", "experiment", "dataset_version__dataset"
            ),
            request.GET.getlist("run"),
        )
        seen = rules.seen_versions(request.user, runs)
        compared = comparing.comparison(runs, seen)
        return Response(ComparisonOutput(compared.to_json()).data)


class ArtifactView(_RunBase):
    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: ApiRequest, pk: UUID, artifact_path: str) -> FileResponse:
        """One file of a run. The download is recorded."""
        found = get_object_or_404(self.get_object().artifacts, path=artifact_path)
        artifact = actions.download_artifact(artifact=found, by=request.user)
        return send_blob(
            artifact.sha256, name=artifact.file_name, media_type=artifact.media_type
        )


urlpatterns = [
    path(
        "projects/<slug:slug>/experiments",
        ExperimentsView.as_view(),
        name="experiments",
    ),
    path("projects/<slug:slug>/runs", ProjectRunsView.as_view(), name="project_runs"),
    path(
        "projects/<slug:slug>/run-comparison",
        ComparisonView.as_view(),
        name="run_comparison",
    ),
    path("experiments/<uuid:pk>", ExperimentView.as_view(), name="experiment"),
    path("experiments/<uuid:pk>/runs", RunsView.as_view(), name="runs"),
    path("runs/<uuid:pk>", RunView.as_view(), name="run"),
    path(
        "runs/<uuid:pk>/artifacts/<path:artifact_path>",
        ArtifactView.as_view(),
        name="artifact",
    ),
]
