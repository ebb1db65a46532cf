"""The page for those who look after the portal."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.access.checks import ensure
from apps.core.http import HtmxRequest
from apps.jobs import queries, rules
from apps.jobs.models import Worker


@login_required
@require_safe
def health(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_read_health(request.user))
    workers = Worker.objects.visible_to(request.user).order_by("name")
    context = {"workers": workers, "queues": queries.queues(workers)}
    return render(request, "jobs/health.html", context)
