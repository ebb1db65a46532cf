from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.notices.forms import MailForm
from apps.notices.models import MailPreference, Notice
from apps.notices.queries import wish_of


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


@login_required
@require_http_methods(["GET", "POST"])
def choose_mail(request: HtmxRequest) -> HttpResponse:
    user = request.user
    form = MailForm(request.POST or None, initial={"mail": wish_of(user)})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["mail"]
        MailPreference.objects.visible_to(user).choose(user, chosen)
        messages.success(request, "Saved.")
        return redirect_after_success(request, "home:inbox")
    context = {"form": form, "mail_is_on": settings.MAIL_ON}
    return render_form(request, "notices/mail.html", context)
