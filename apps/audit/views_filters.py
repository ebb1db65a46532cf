from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.audit import desk
from apps.audit.forms import SaveFilterForm
from apps.audit.models import SavedFilter
from apps.audit.paging import count_of
from apps.audit.queries import AuditFilter
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
    wants_fragment,
)


@login_required
@require_POST
def save_filter(request: HtmxRequest) -> HttpResponse:
    form = SaveFilterForm(request.POST)
    if not form.is_valid():
        return render_form(request, "audit/save_filter.html", {"form": form})
    kept = SavedFilter.objects.visible_to(request.user).keep(
        owner=request.user,
        name=form.cleaned_data["name"],
        query=form.cleaned_data["query"],
    )
    messages.success(request, f"Saved as “{kept.name}”.")
    return redirect_after_success(request, f"{reverse('audit:list')}?{kept.query}")


@login_required
@require_POST
def delete_filter(request: HtmxRequest, pk: UUID) -> HttpResponse:
    mine = SavedFilter.objects.visible_to(request.user)
    found = get_object_or_404(mine, pk=pk)
    mine.filter(pk=found.pk).forget()
    messages.success(request, f"Deleted “{found.name}”.")
    return redirect_after_success(request, "audit:list")


@login_required
@require_GET
def count(request: HtmxRequest) -> HttpResponse:
    wanted = AuditFilter.from_query(request.GET)
    total = count_of(request.user, wanted)
    if wants_fragment(request):
        return render(request, "audit/_count.html", {"total": total})
    context = {
        "total": total,
        "chips": desk.chips(wanted, desk.projects_of(request.user)),
        "query": urlencode(wanted.given),
    }
    return render(request, "audit/count.html", context)


@login_required
@require_GET
def people(request: HtmxRequest) -> HttpResponse:
    text = request.GET.get("person", "")
    return render(
        request,
        "audit/_people.html",
        {"people": desk.people_known_to(request.user, text)},
    )
