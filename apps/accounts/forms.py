"""Forms of sign-in, people and tokens."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from apps.access.roles import GRANTABLE_AGENCY_ROLES
from apps.accounts.models import TokenScope, User
from apps.core.forms import PortalForm, PortalFormLook


class SignInForm(PortalFormLook, AuthenticationForm):
    error_messages = {
        "invalid_login": "This e-mail address and password do not belong together.",
        "inactive": "This account is deactivated.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"


class ChangePasswordForm(PortalFormLook, PasswordChangeForm):
    pass


class ProfileForm(PortalForm):
    full_name = forms.CharField(
        max_length=150, label="Full name", help_text="As printed under signatures."
    )
    title = forms.CharField(max_length=150, required=False)
    organisation = forms.CharField(max_length=150, required=False)


class AgencyRolesForm(PortalForm):
    agency_roles = forms.MultipleChoiceField(
        choices=[(role.slug, role.title) for role in GRANTABLE_AGENCY_ROLES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Agency roles",
        help_text="A program manager may open projects; inside a project only "
        "membership counts.",
    )


class PersonForm(AgencyRolesForm, ProfileForm):
    email = forms.EmailField(max_length=254, label="E-mail address")
    password = forms.CharField(
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 15 characters. The person changes it after signing in.",
    )
    field_order = [
        "email",
        "full_name",
        "title",
        "organisation",
        "agency_roles",
        "password",
    ]


class ErasureForm(PortalForm):
    legal_basis = forms.CharField(
        max_length=2000,
        label="Legal basis",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The law, schedule or request that asks for it. It is kept for ever, "
        "so write no names.",
    )


class ApproveErasureForm(PortalForm):
    password = forms.CharField(
        label="Your password",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Entered anew, so that the decision is yours. It cannot be undone.",
    )


class TokenForm(PortalForm):
    name = forms.CharField(
        max_length=100, help_text="What it is for, such as: nightly card report."
    )
    scope = forms.ChoiceField(choices=TokenScope.choices, initial=TokenScope.READ)
    days = forms.IntegerField(
        min_value=1,
        max_value=365,
        initial=90,
        label="Days until it expires",
        help_text="1 to 365.",
    )
    default_project = forms.ChoiceField(
        required=False,
        help_text="For the MLflow client: the project in which names of experiments "
        "are looked for that do not begin with a project.",
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = person.memberships.select_related("project")
        mine = [(one.project.slug, one.project.name) for one in members]
        chosen: Any = self.fields["default_project"]
        chosen.choices = [("", "None"), *sorted(mine, key=lambda one: one[1])]
