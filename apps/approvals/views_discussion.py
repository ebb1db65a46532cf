from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from apps.access.checks import Decision, ensure
from apps.approvals import actions, discussion, rules
from apps.approvals.forms import CommentForm, ReplyForm
from apps.approvals.models import ApprovalRequest, Comment
from apps.core.http import HtmxRequest, redirect_after_success, wants_fragment


def discussion_of(
    request: HtmxRequest, approval: ApprovalRequest, start: str | None = None
) -> dict[str, Any]:
    """Gather what the discussion on the page of a request shows.

    Args:
        request: of the reader; its query says which page of threads.
        approval: with its version joined.
        start: id of the thread to begin with, instead of what the query says.
    """
    after = None if start else request.GET.get("after")
    start = start or request.GET.get("thread")
    page = discussion.threads_of(approval, after=after, start=start)
    may_write = rules.can_write_comment(request.user, approval)
    threads = discussion.shown(approval, page.rows)
    return {
        "approval": approval,
        "threads": [(thread, _reply_form(thread, may_write)) for thread in threads],
        "next_cursor": page.next_cursor,
        "begins_later": bool(after or start),
        "may_write_comment": may_write,
        "form": CommentForm(auto_id="comment_%s"),
        "reader": request.user,
    }


def _reply_form(thread: discussion.Shown, may_write: Decision) -> ReplyForm | None:
    if not may_write:
        return None
    pk = thread.comment.pk
    return ReplyForm(initial={"reply_to": pk}, auto_id=f"reply_{pk}_%s")


@login_required
@require_POST
def write_comment(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = _visible(request, pk)
    thread = _thread(request, approval)
    ensure(rules.can_write_comment(request.user, approval, thread))
    form = ReplyForm(request.POST) if thread else CommentForm(request.POST)
    if form.is_valid():
        with form.taking_faults():
            comment = actions.write_comment(
                approval=approval,
                reply_to=thread,
                text=form.cleaned_data["text"],
                part=form.cleaned_data.get("part", ""),
                by=request.user,
            )
            return _answer(request, comment)
    return _with_faults(request, approval, thread, form)


@login_required
@require_POST
def withdraw_comment(request: HtmxRequest, pk: UUID, comment: UUID) -> HttpResponse:
    visible = Comment.objects.visible_to(request.user).select_related("request")
    found = get_object_or_404(visible, pk=comment, request_id=pk)
    return _answer(request, actions.withdraw_comment(comment=found, by=request.user))


def _visible(request: HtmxRequest, pk: UUID) -> ApprovalRequest:
    visible = ApprovalRequest.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("version__model__project"), pk=pk)


def _thread(request: HtmxRequest, approval: ApprovalRequest) -> Comment | None:
    if not (sent := request.POST.get("reply_to")):
        return None
    form = ReplyForm({"reply_to": sent, "text": "-"})
    pk = form.cleaned_data["reply_to"] if form.is_valid() else None
    visible = Comment.objects.visible_to(request.user)
    return get_object_or_404(visible, pk=pk, request=approval)


def _answer(request: HtmxRequest, comment: Comment) -> HttpResponse:
    if not wants_fragment(request):
        return redirect_after_success(request, comment)
    context = discussion_of(request, comment.request, start=str(comment.thread_id))
    context["changed"] = comment.pk
    return render(request, "approvals/_discussion.html", context)


def _with_faults(
    request: HtmxRequest,
    approval: ApprovalRequest,
    thread: Comment | None,
    form: CommentForm | ReplyForm,
) -> HttpResponse:
    """Show the discussion with the form as it was sent and what is wrong with it."""
    start = str(thread.thread_id) if thread else None
    context = discussion_of(request, approval, start=start)
    if thread is None:
        form.auto_id = "comment_%s"
        context["form"] = form
    else:
        form.auto_id = f"reply_{thread.pk}_%s"
        context["threads"] = [
            (shown, form if shown.comment == thread else empty)
            for shown, empty in context["threads"]
        ]
    part = "approvals/_discussion.html"
    whole = "approvals/discussion.html"
    name = part if wants_fragment(request) else whole
    return render(request, name, context, status=422)
