"""Uploads in chunks, after the tus resumable upload protocol.

Source: tus.io/protocols/resumable-upload, version 1.0.0, with the extensions creation,
checksum, termination and expiration. One thing is our own: a file that has come whole
becomes a dataset version when its `complete` is asked for.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FileUploadParser
from rest_framework.response import Response

from apps.core.middleware import CHUNK_TYPE
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions, tus
from apps.datasets.api_versions import status_path
from apps.datasets.models import Dataset, Upload, UploadState
from apps.projects.models import Project


class OtherProtocol(exceptions.APIException):
    status_code = 412
    default_code = "precondition_failed"
    default_detail = (
        f"This speaks tus {tus.VERSION}; send Tus-Resumable: {tus.VERSION}."
    )


class UploadOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    file_name = serializers.CharField()
    dataset_id = serializers.UUIDField(allow_null=True)
    dataset_name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    received_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    version_id = serializers.UUIDField(allow_null=True)
    page_url = serializers.CharField(source="get_absolute_url")
    url = serializers.SerializerMethodField()

    def get_url(self, upload: Upload) -> str:
        return upload_path(upload)


def upload_path(upload: Upload) -> str:
    return reverse("v1:upload", args=[upload.pk])


def _header(name: str, kind: Any, description: str, **kwargs: Any) -> OpenApiParameter:
    return OpenApiParameter(
        name, kind, OpenApiParameter.HEADER, description=description, **kwargs
    )


_START = [
    _header("Upload-Length", int, "Bytes of the whole file.", required=True),
    _header(
        "Upload-Metadata",
        str,
        "Pairs of a key and its value in Base64, parted by commas. Keys: filename; "
        "name, title and description of a new dataset; sha256 of the whole file; "
        "seal_method, seal_ratio, seal_column and seal_seed of rows to put aside; "
        "lastmodified in milliseconds since 1970.",
        required=True,
    ),
]
_CHUNK = [
    _header("Upload-Offset", int, "Bytes before this chunk.", required=True),
    _header("Upload-Checksum", str, "sha256 or sha1, a space, the digest in Base64."),
]


class _TusView(ApiView):
    serializer_class = UploadOutput
    upload: Upload | None = None

    def get_queryset(self) -> Any:
        visible = Upload.objects.visible_to(self.request.user)
        return visible.select_related("project", "dataset")

    def get_object(self) -> Upload:
        self.upload = super().get_object()
        return self.upload

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.headers.get("Tus-Resumable", tus.VERSION) != tus.VERSION:
            raise OtherProtocol

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(
            status=204,
            headers={
                "Tus-Version": tus.VERSION,
                "Tus-Extension": tus.EXTENSIONS,
                "Tus-Max-Size": str(settings.UPLOAD_TOTAL_LIMIT_BYTES),
                "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUMS),
            },
        )

    def finalize_response(
        self, request: Any, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Say with every answer how far the upload is, refusals included."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished["Tus-Resumable"] = tus.VERSION
        finished["Cache-Control"] = "no-store"
        if finished.status_code == OtherProtocol.status_code:
            finished["Tus-Version"] = tus.VERSION
        if self.upload:
            self.upload.refresh_from_db(fields=["received_bytes", "state"])
            _tell(self.upload, finished)
        return finished


def _tell(upload: Upload, response: HttpResponse) -> None:
    response["Upload-Length"] = str(upload.size_bytes)
    if upload.state in {UploadState.OPEN, UploadState.COMPLETE}:
        response["Upload-Offset"] = str(upload.received_bytes)
    if upload.state == UploadState.OPEN:
        response["Upload-Expires"] = http_date(upload.expires_at.timestamp())


class UploadsView(_TusView):
    @extend_schema(responses=UploadOutput(many=True))
    def get(self, request: ApiRequest) -> Response:
        """Uploads that I began, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(UploadOutput(page, many=True).data)


class _StartView(_TusView):
    def _started(
        self, request: ApiRequest, project: Project, dataset: Dataset | None
    ) -> Response:
        wish = tus.wish_in(request.headers, dataset)
        self.upload = actions.start_upload(project=project, wish=wish, by=request.user)
        return Response(
            UploadOutput(self.upload).data,
            status=201,
            headers={"Location": upload_path(self.upload)},
        )


class StartUploadView(_StartView):
    @extend_schema(parameters=_START, request=None, responses={201: UploadOutput})
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Begin an upload under a name: a new dataset, or the next version of one."""
        visible = Project.objects.visible_to(request.user)
        return self._started(request, get_object_or_404(visible, slug=slug), None)


class StartVersionUploadView(_StartView):
    @extend_schema(parameters=_START, request=None, responses={201: UploadOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Begin the upload of the next version of a dataset."""
        visible = Dataset.objects.visible_to(request.user).select_related("project")
        dataset = get_object_or_404(visible, pk=pk)
        return self._started(request, dataset.project, dataset)


class _ChunkParser(FileUploadParser):
    """Says in the schema what a chunk is; the view reads the body itself."""

    media_type = CHUNK_TYPE


class UploadView(_TusView):
    parser_classes = [_ChunkParser]

    @extend_schema(responses=UploadOutput)
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """How far an upload is; HEAD says it in Upload-Offset alone."""
        return Response(UploadOutput(self.get_object()).data)

    @extend_schema(
        parameters=_CHUNK,
        request={CHUNK_TYPE: OpenApiTypes.BINARY},
        responses={204: None},
    )
    def patch(self, request: ApiRequest, pk: UUID) -> Response:
        """Send the next chunk; Upload-Offset of the answer says where to go on."""
        upload = self.get_object()
        if request.content_type != CHUNK_TYPE:
            raise exceptions.UnsupportedMediaType(request.content_type)
        actions.append_chunk(
            upload=upload,
            offset=tus.number_in(request.headers, "Upload-Offset"),
            content=tus.chunk_in(request._request),
            by=request.user,
        )
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, pk: UUID) -> Response:
        """Give an upload up; what came of it is removed."""
        actions.cancel_upload(upload=self.get_object(), by=request.user)
        return Response(status=204)


class CompleteUploadView(_TusView):
    @extend_schema(request=None, responses={202: UploadOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Make a file that has come whole a version; Location is where it is read."""
        upload = actions.complete_upload(upload=self.get_object(), by=request.user)
        assert upload.version is not None  # noqa: S101  # constraint of the table
        return Response(
            UploadOutput(upload).data,
            status=202,
            headers={"Location": status_path(upload.version)},
        )


urlpatterns = [
    path("uploads", UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:pk>", UploadView.as_view(), name="upload"),
    path(
        "uploads/<uuid:pk>/complete",
        CompleteUploadView.as_view(),
        name="complete_upload",
    ),
    path(
        "projects/<slug:slug>/uploads",
        StartUploadView.as_view(),
        name="start_upload",
    ),
    path(
        "datasets/<uuid:pk>/uploads",
        StartVersionUploadView.as_view(),
        name="start_version_upload",
    ),
]
