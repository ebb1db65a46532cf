from typing import Any
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.rest_views import ApiRequest, ApiView
from apps.notices.models import MailPreference, MailWish, Notice
from apps.notices.queries import wish_of


class NoticeOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    sentence = serializers.CharField()
    url = serializers.CharField(source="path")
    object_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class CountOutput(serializers.Serializer[Any]):
    marked = serializers.IntegerField()


class NoticesView(ApiView):
    serializer_class = NoticeOutput

    @extend_schema(
        parameters=[OpenApiParameter("unread", OpenApiTypes.BOOL, default=False)],
        responses=NoticeOutput(many=True),
    )
    def get(self, request: ApiRequest) -> Response:
        """What I was told, newest first; with `unread=true` only what waits."""
        mine = Notice.objects.visible_to(request.user)
        if request.query_params.get("unread") == "true":
            mine = mine.unread()
        page = self.paginate_queryset(mine)
        return self.get_paginated_response(NoticeOutput(page, many=True).data)


class ReadNoticeView(ApiView):
    serializer_class = NoticeOutput

    @extend_schema(request=None, responses=NoticeOutput)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Note that I read one notice."""
        mine = Notice.objects.visible_to(request.user)
        notice = get_object_or_404(mine, pk=pk)
        mine.filter(pk=notice.pk).mark_read()
        return Response(NoticeOutput(get_object_or_404(mine, pk=pk)).data)


class ReadNoticesView(ApiView):
    serializer_class = CountOutput

    @extend_schema(request=None, responses=CountOutput)
    def post(self, request: ApiRequest) -> Response:
        """Note that I read all notices."""
        marked = Notice.objects.visible_to(request.user).mark_read()
        return Response({"marked": marked})


class MailInput(serializers.Serializer[Any]):
    mail = serializers.ChoiceField(choices=MailWish.choices)


class MailOutput(MailInput):
    is_on = serializers.BooleanField(help_text="Whether this portal sends mail.")


class MailView(ApiView):
    serializer_class = MailOutput

    @extend_schema(responses=MailOutput)
    def get(self, request: ApiRequest) -> Response:
        """How often I am written to."""
        return Response({"mail": wish_of(request.user), "is_on": settings.MAIL_ON})

    @extend_schema(request=MailInput, responses=MailOutput)
    def put(self, request: ApiRequest) -> Response:
        """Choose how often I am written to."""
        given = MailInput(data=request.data)
        given.is_valid(raise_exception=True)
        mine = MailPreference.objects.visible_to(request.user)
        mine.choose(request.user, given.validated_data["mail"])
        return self.get(request)


urlpatterns = [
    path("notices/mail", MailView.as_view(), name="mail"),
    path("notices", NoticesView.as_view(), name="notices"),
    path("notices/read_all", ReadNoticesView.as_view(), name="read_notices"),
    path("notices/<uuid:pk>/read", ReadNoticeView.as_view(), name="read_notice"),
]
