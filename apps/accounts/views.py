from uuid import UUID

from axes.helpers import get_client_ip_address
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.accounts import actions, rules
from apps.accounts.forms import (
    AgencyRolesForm,
    ChangePasswordForm,
    PersonForm,
    ProfileForm,
    SignInForm,
    TokenForm,
)
from apps.accounts.models import ApiToken, User
from apps.audit.waiting import seal_sentence
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page


class SignInView(LoginView):
    authentication_form = SignInForm
    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        actions.record_sign_in(address=_address(self.request), by=form.get_user())
        return super().form_valid(form)

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        actions.record_sign_in_failure(
            email=form.data.get("username", ""),
            address=_address(self.request),
            is_locked=getattr(self.request, "axes_locked_out", False),
        )
        response = super().form_invalid(form)
        response.status_code = 422
        return response


def _address(request: HttpRequest) -> str:
    """The network address that the proxy or the client connected from."""
    return str(get_client_ip_address(request) or "")


class ChangePasswordView(PasswordChangeView):
    form_class = ChangePasswordForm
    template_name = "accounts/change_password.html"
    success_url = reverse_lazy("accounts:account")

    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:  # type: ignore[override]
        with transaction.atomic():
            response = super().form_valid(form)
            actions.record_password_change(by=form.user)
        messages.success(self.request, "Your password is changed.")
        return response

    def form_invalid(self, form: ChangePasswordForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_invalid(form)
        response.status_code = 422
        return response


@login_required
@require_GET
def account(request: HtmxRequest) -> HttpResponse:
    tokens = ApiToken.objects.visible_to(request.user)
    page = keyset_page(tokens, after=request.GET.get("after"))
    return render(
        request,
        "accounts/account.html",
        {
            "page": page,
            "memberships": request.user.memberships.select_related("project"),
            "may_issue_token": rules.can_issue_token(request.user),
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def issue_token(request: HtmxRequest) -> HttpResponse:
    form = TokenForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        token, secret = actions.issue_token(**form.cleaned_data, by=request.user)
        return render(
            request,
            "accounts/token_issued.html",
            {
                "token": token,
                "secret": secret,
                "address": request.build_absolute_uri("/").rstrip("/"),
            },
        )
    return render_form(request, "accounts/token_issue.html", {"form": form})


@login_required
@require_POST
def revoke_token(request: HtmxRequest, pk: UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    actions.revoke_token(token=token, by=request.user)
    messages.success(request, f"Token {token.name} no longer works.")
    return redirect_after_success(request, "accounts:account")


@login_required
@require_GET
def people(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_manage_accounts(request.user))
    search = request.GET.get("search", "")
    accounts = User.objects.visible_to(request.user).matching(search)
    page = keyset_page(accounts, after=request.GET.get("after"))
    return render(request, "accounts/people.html", {"page": page, "search": search})


@login_required
@require_GET
def person(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    return render(
        request,
        "accounts/person.html",
        {
            "person": found,
            "memberships": found.memberships.select_related("project"),
            "may_edit_person": rules.can_edit_person(request.user, found),
            "may_set_agency_roles": rules.can_set_agency_roles(request.user, found),
            "may_deactivate_person": rules.can_deactivate_person(request.user, found),
            "may_request_erasure": rules.can_request_erasure(request.user, found),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def create_person(request: HtmxRequest) -> HttpResponse:
    ensure(rules.can_create_person(request.user))
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with form.taking_faults():
            created = actions.create_person(
                email=data["email"],
                full_name=data["full_name"],
                password=data["password"],
                profile=data,
                agency_roles=data["agency_roles"],
                by=request.user,
            )
            return redirect_after_success(request, created)
    return render_form(
        request,
        "accounts/person_form.html",
        {
            "form": form,
            "title": "Add a person",
            "submit_label": "Create account",
            "cancel_url": reverse("accounts:people"),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def edit_person(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    ensure(rules.can_edit_person(request.user, found))
    initial = {name: getattr(found, name) for name in actions.PROFILE_FIELDS}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.edit_person(person=found, profile=form.cleaned_data, by=request.user)
        return redirect_after_success(request, found)
    return render_form(
        request,
        "accounts/person_form.html",
        {
            "form": form,
            "title": f"Edit {found.full_name}",
            "submit_label": "Save",
            "cancel_url": found.get_absolute_url(),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def set_agency_roles(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    ensure(rules.can_set_agency_roles(request.user, found))
    form = AgencyRolesForm(
        request.POST if request.method == "POST" else None,
        initial={"agency_roles": found.agency_roles},
    )
    if request.method == "POST" and form.is_valid():
        actions.set_agency_roles(person=found, **form.cleaned_data, by=request.user)
        messages.success(request, f"Roles set. {seal_sentence()}")
        return redirect_after_success(request, found)
    return render_form(
        request,
        "accounts/person_form.html",
        {
            "form": form,
            "title": f"Agency roles of {found.full_name}",
            "submit_label": "Save",
            "cancel_url": found.get_absolute_url(),
        },
    )


@login_required
@require_POST
def deactivate_person(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    actions.deactivate_person(person=found, by=request.user)
    messages.success(request, f"The account of {found.full_name} is closed.")
    return redirect_after_success(request, found)
