from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.audit import actions
from apps.audit.timeline import life_of
from apps.core.http import HtmxRequest


@login_required
@require_GET
def timeline(request: HtmxRequest, kind: str, key: str) -> HttpResponse:
    with_mentions = request.GET.get("mentions") != "no"
    life = life_of(
        request.user,
        kind,
        key,
        after=request.GET.get("after", ""),
        with_mentions=with_mentions,
    )
    if life is None:
        raise Http404
    actions.record_view(what={"object": f"{kind} {key}"}, by=request.user)
    return render(
        request,
        "audit/timeline.html",
        {"life": life, "kind": kind, "key": key, "with_mentions": with_mentions},
    )
