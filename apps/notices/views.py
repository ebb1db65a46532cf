from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from apps.core.http import HtmxRequest, redirect_after_success
from apps.notices.models import Notice


@login_required
@require_GET
def open_notice(request: HtmxRequest, pk: UUID) -> HttpResponse:
    mine = Notice.objects.visible_to(request.user)
    notice = get_object_or_404(mine, pk=pk)
    mine.filter(pk=pk).mark_read()
    return HttpResponseRedirect(notice.path)


@login_required
@require_POST
def read_notice(request: HtmxRequest, pk: UUID) -> HttpResponse:
    mine = Notice.objects.visible_to(request.user)
    notice = get_object_or_404(mine, pk=pk)
    mine.filter(pk=notice.pk).mark_read()
    return redirect_after_success(request, "home:inbox")


@login_required
@require_POST
def read_notices(request: HtmxRequest) -> HttpResponse:
    count = Notice.objects.visible_to(request.user).mark_read()
    messages.success(request, f"Read: {count} news.")
    return redirect_after_success(request, "home:inbox")
