from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.approvals import actions, discussion
from apps.approvals.evidence import PARTS
from apps.approvals.models import MAX_COMMENT_CHARACTERS, ApprovalRequest, Comment
from apps.core.rest_views import ApiRequest, ApiView


class CommentInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)
    part = serializers.ChoiceField(
        choices=["", *PARTS], default="", help_text="Of the evidence; empty: no part."
    )
    reply_to = serializers.UUIDField(
        default=None, allow_null=True, help_text="The comment that began the thread."
    )


class ReplyOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="comment.pk")
    text = serializers.CharField()
    author = serializers.CharField(source="comment.author.full_name")
    written_at = serializers.DateTimeField(source="comment.written_at")
    withdrawn_at = serializers.DateTimeField(
        source="comment.withdrawn_at", allow_null=True
    )
    url = serializers.CharField(source="comment.get_absolute_url")


class CommentOutput(ReplyOutput):
    part = serializers.CharField(source="comment.part")
    reply_to = serializers.UUIDField(source="comment.reply_to_id", allow_null=True)


class ThreadOutput(ReplyOutput):
    part = serializers.CharField(source="comment.part")
    replies = serializers.SerializerMethodField()

    @extend_schema_field(ReplyOutput(many=True))
    def get_replies(self, thread: discussion.Shown) -> Any:
        return ReplyOutput(thread.replies, many=True).data


class _CommentBase(ApiView):
    serializer_class = CommentOutput

    def _approval(self, pk: UUID) -> ApprovalRequest:
        visible = ApprovalRequest.objects.visible_to(self.request.user)
        joined = visible.select_related("version__model__project")
        return get_object_or_404(joined, pk=pk)

    def _comment(self, pk: UUID, comment: UUID) -> Comment:
        visible = Comment.objects.visible_to(self.request.user)
        joined = visible.select_related("request", "author")
        return get_object_or_404(joined, pk=comment, request_id=pk)

    def _answer(self, comment: Comment, status: int = 200) -> Response:
        [shown] = discussion.shown(comment.request, [comment])
        return Response(CommentOutput(shown).data, status=status)


class CommentsView(_CommentBase):
    @extend_schema(responses=ThreadOutput(many=True))
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Threads of the discussion, newest first, each with its replies."""
        approval = self._approval(pk)
        visible = Comment.objects.visible_to(request.user).filter(request=approval)
        page = self.paginate_queryset(visible.threads().select_related("author"))
        threads = discussion.shown(approval, page or [])
        return self.get_paginated_response(ThreadOutput(threads, many=True).data)

    @extend_schema(request=CommentInput, responses={201: CommentOutput})
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Write in the discussion; @ and the first part of an address names people."""
        approval = self._approval(pk)
        given = CommentInput(data=request.data)
        given.is_valid(raise_exception=True)
        wish = given.validated_data
        thread = self._comment(pk, wish["reply_to"]) if wish["reply_to"] else None
        comment = actions.write_comment(
            approval=approval,
            text=wish["text"],
            part=wish["part"],
            reply_to=thread,
            by=request.user,
        )
        return self._answer(comment, status=201)


class WithdrawCommentView(_CommentBase):
    @extend_schema(request=None, responses=CommentOutput)
    def post(self, request: ApiRequest, pk: UUID, comment: UUID) -> Response:
        """Mark a comment of mine as withdrawn; what it said stays on record."""
        found = self._comment(pk, comment)
        return self._answer(actions.withdraw_comment(comment=found, by=request.user))


urlpatterns = [
    path(
        "approval-requests/<uuid:pk>/comments", CommentsView.as_view(), name="comments"
    ),
    path(
        "approval-requests/<uuid:pk>/comments/<uuid:comment>/withdraw",
        WithdrawCommentView.as_view(),
        name="withdraw_comment",
    ),
]
