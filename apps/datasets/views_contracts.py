from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.datasets import actions, queries, rules
from apps.datasets.contract_form import ContractForm
from apps.datasets.contract_words import contract_difference, contract_words
from apps.datasets.models import ContractRevision, Dataset
from apps.datasets.pages import find_dataset, sections, trail_to
from engine.spec import Contract

GET_OR_POST = ["GET", "POST"]


@login_required
@require_GET
def contract(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    return _contract_page(request, dataset, queries.newest_revision(dataset))


@login_required
@require_GET
def contract_revision(request: HtmxRequest, pk: UUID, number: int) -> HttpResponse:
    dataset = find_dataset(request, pk)
    visible = ContractRevision.objects.visible_to(request.user)
    found = get_object_or_404(
        visible.select_related("saved_by"), dataset=dataset, number=number
    )
    return _contract_page(request, dataset, found)


def _contract_page(
    request: HtmxRequest, dataset: Dataset, revision: ContractRevision | None
) -> HttpResponse:
    history = dataset.contract_revisions.select_related("saved_by").defer("content")
    page = keyset_page(history, after=request.GET.get("after"))
    former = queries.revision_before(revision) if revision else None
    return render(
        request,
        "datasets/contract.html",
        {
            "dataset": dataset,
            "trail": trail_to(dataset.project, dataset),
            "sections": sections(dataset, "Contract"),
            "revision": revision,
            "words": contract_words(revision.contract()) if revision else None,
            "changes": contract_difference(former.contract(), revision.contract())
            if revision and former
            else {},
            "page": page,
            "ready": queries.newest_ready(dataset),
            "may_save_contract": rules.can_save_contract(request.user, dataset),
        },
    )


@login_required
@require_http_methods(GET_OR_POST)
def save_contract(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    ensure(rules.can_save_contract(request.user, dataset))
    ready = queries.newest_ready(dataset)
    is_new = request.GET.get("from") == "profile"
    newest = queries.newest_revision(dataset)
    contract = queries.contract_to_edit(newest, ready, propose=is_new)
    types = {c["name"]: c["type"] for c in ready.columns} if ready else {}
    form = ContractForm(request.POST or None, contract=contract, types=types)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.save_contract(
                dataset=dataset,
                content=form.content(),
                note=form.cleaned_data["note"],
                by=request.user,
            )
            return redirect_after_success(request, "datasets:contract", dataset.pk)
    context: dict[str, Any] = {
        "form": form,
        "dataset": dataset,
        "trail": trail_to(dataset.project, dataset),
        "back": reverse("datasets:contract", args=[dataset.pk]),
        "ready": ready,
        "is_proposal": contract != (newest.contract() if newest else Contract()),
    }
    return render_form(request, "datasets/contract_form.html", context)
