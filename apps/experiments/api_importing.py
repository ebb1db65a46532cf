from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from apps.access.checks import ensure
from apps.core.rest_views import ApiRequest, ApiView
from apps.experiments import rules
from apps.experiments.api import RunDetail
from apps.experiments.importing.uploads import take_run
from apps.experiments.models import Experiment


class RunFileInput(serializers.Serializer[Any]):
    file = serializers.FileField()


class RunFilesView(ApiView):
    parser_classes = [MultiPartParser]
    serializer_class = RunDetail

    @extend_schema(
        request={"multipart/form-data": RunFileInput}, responses={201: RunDetail}
    )
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Record a run from one file; the same file again is the same run.

        The zipped folder of an MLflow run, or JSON or CSV of parameters and metrics.
        """
        visible = Experiment.objects.visible_to(request.user)
        experiment = get_object_or_404(visible.select_related("project"), pk=pk)
        ensure(rules.can_upload_run(request.user, experiment))
        given = RunFileInput(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        run, _ = take_run(
            experiment=experiment, content=file, file_name=file.name, by=request.user
        )
        return Response(
            RunDetail(run).data,
            status=201,
            headers={"Location": reverse("v1:run", args=[run.pk])},
        )


urlpatterns = [
    path("experiments/<uuid:pk>/run-files", RunFilesView.as_view(), name="run_files"),
]
