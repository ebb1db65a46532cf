"""Uploads in chunks, after the tus resumable upload protocol.

Source: tus.io/protocols/resumable-upload, version 1.0.0, with the extensions creation,
checksum, termination and expiration. One thing is our own: a file that has come whole
becomes a dataset version when its `complete` is asked for.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FileUploadParser
from rest_framework.response import Response

from apps.core.errors import Invalid, PortalError
from apps.core.middleware import CHUNK_TYPE
from apps.core.rest_views import ApiRequest, ApiView
from apps.datasets import actions
from apps.datasets.api_versions import status_path
from apps.datasets.models import Dataset, Upload, UploadState
from apps.projects.models import Project

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,checksum,termination,expiration"
CHECKSUMS = {
    "sha256": hashlib.sha256,
    # Asked for by the protocol; it guards against broken wires, not against people.
    "sha1": lambda content: hashlib.sha1(content, usedforsecurity=False),
}
LONGEST_NUMBER = 18  # digits, so that it fits a column


class ChecksumMismatch(PortalError):
    """The chunk is not what the sender meant to send."""

    status = 460  # the protocol's own
    code = "checksum_mismatch"


class OtherProtocol(exceptions.APIException):
    status_code = 412
    default_code = "precondition_failed"
    default_detail = (
        f"This speaks tus {TUS_VERSION}; send Tus-Resumable: {TUS_VERSION}."
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
        if request.headers.get("Tus-Resumable", TUS_VERSION) != TUS_VERSION:
            raise OtherProtocol

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(
            status=204,
            headers={
                "Tus-Version": TUS_VERSION,
                "Tus-Extension": TUS_EXTENSIONS,
                "Tus-Max-Size": str(settings.UPLOAD_TOTAL_LIMIT_BYTES),
                "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
            },
        )

    def finalize_response(
        self, request: Any, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Say with every answer how far the upload is, refusals included."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished["Tus-Resumable"] = TUS_VERSION
        finished["Cache-Control"] = "no-store"
        if finished.status_code == OtherProtocol.status_code:
            finished["Tus-Version"] = TUS_VERSION
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
        wish = _wish_in(request, dataset)
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
        actions.append_chunk(
            upload=upload,
            offset=_number_in(request, "Upload-Offset"),
            content=_chunk_in(request),
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


def _wish_in(request: ApiRequest, dataset: Dataset | None) -> actions.UploadWish:
    told = _metadata_in(request.headers.get("Upload-Metadata", ""))
    modified = told.get("lastmodified", "")
    return actions.UploadWish(
        file_name=told.get("filename", ""),
        size_bytes=_number_in(request, "Upload-Length"),
        sha256=told.get("sha256", ""),
        file_modified_ms=_whole_number(modified, "lastmodified") if modified else None,
        dataset=dataset,
        name="" if dataset else told.get("name", ""),
        title="" if dataset else told.get("title", ""),
        description="" if dataset else told.get("description", ""),
    )


def _metadata_in(header: str) -> dict[str, str]:
    told = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            told[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            sentence = "Upload-Metadata has keys, each with UTF-8 text in Base64."
            raise Invalid(sentence, fields={key[:60]: "Not Base64."}) from error
        if "\0" in told[key]:
            sentence = "No text may hold a NUL character; remove it."
            raise Invalid(sentence, fields={key[:60]: sentence})
    return told


def _number_in(request: ApiRequest, name: str) -> int:
    return _whole_number(request.headers.get(name, ""), name)


def _whole_number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER):
        sentence = f"{name} must be a whole number of at most 18 digits."
        raise Invalid(sentence, fields={name: sentence})
    return int(text)


def _chunk_in(request: ApiRequest) -> bytes:
    """Read the body; of one that broke off, what came."""
    if request.content_type != CHUNK_TYPE:
        raise exceptions.UnsupportedMediaType(request.content_type)
    length = _number_in(request, "Content-Length")
    try:
        content: bytes = request._request.read(length)
    except UnreadablePostError as error:
        raise Invalid("The connection broke; go on at Upload-Offset.") from error
    _check(content, request.headers.get("Upload-Checksum"))
    return content


def _check(content: bytes, checksum: str | None) -> None:
    if checksum is None:
        return
    algorithm, _, expected = checksum.partition(" ")
    if algorithm not in CHECKSUMS:
        names = " or ".join(CHECKSUMS)
        raise PortalError(f"Upload-Checksum takes {names}, a space, then Base64.")
    found = base64.b64encode(CHECKSUMS[algorithm](content).digest()).decode()
    if not hmac.compare_digest(found.encode(), expected.strip().encode()):
        raise ChecksumMismatch(
            "The chunk is not what its checksum says; nothing of it was kept. Send it "
            "again."
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
