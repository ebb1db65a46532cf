from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.notices import actions, rules
from apps.notices.forms import WebhookForm
from apps.notices.models import Delivery, Webhook
from apps.notices.queries import with_tries
from apps.projects.models import Project

SHOWN = 20


@login_required
@require_http_methods(["GET", "POST"])
def webhooks(request: HtmxRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        ensure(rules.can_add_webhook(request.user, project))
        if form.is_valid():
            with form.taking_faults():
                added = actions.add_webhook(
                    project=project, url=form.cleaned_data["url"], by=request.user
                )
                return _secret_of(request, added)
    found = Webhook.objects.visible_to(request.user).filter(project=project)
    context = {
        "project": project,
        "page": keyset_page(found, after=request.GET.get("after"), limit=SHOWN),
        "form": form,
        "may_add_webhook": rules.can_add_webhook(request.user, project),
    }
    return render_form(request, "notices/webhooks.html", context)


def _secret_of(request: HtmxRequest, webhook: Webhook) -> HttpResponse:
    response = render(request, "notices/webhook_added.html", {"webhook": webhook})
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_GET
def webhook(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = Webhook.objects.visible_to(request.user).select_related("project")
    found = get_object_or_404(visible, pk=pk)
    may_remove = rules.can_remove_webhook(request.user, found)
    sent = with_tries(Delivery.objects.visible_to(request.user).filter(webhook=found))
    context = {
        "webhook": found,
        "page": keyset_page(sent, after=request.GET.get("after"), limit=SHOWN),
        "may_remove_webhook": may_remove,
    }
    return render(request, "notices/webhook.html", context)


@login_required
@require_POST
def remove_webhook(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Webhook.objects.visible_to(request.user), pk=pk)
    removed = actions.remove_webhook(webhook=found, by=request.user)
    messages.success(request, f"{removed.host} is told nothing more.")
    return redirect_after_success(request, removed)


@login_required
@require_POST
def resend_delivery(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Delivery.objects.visible_to(request.user), pk=pk)
    sent = actions.resend_delivery(delivery=found, by=request.user)
    messages.success(request, "It is sent again within a minute.")
    return redirect_after_success(request, sent.webhook)
