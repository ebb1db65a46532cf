"""Forms of projects, their objective, members and who sees single things."""

from typing import Any

from django import forms

from apps.access.roles import PROJECT_ROLES
from apps.core.forms import PortalForm
from apps.projects.models import Direction, Impact, Sharing


class ProjectForm(PortalForm):
    name = forms.CharField(max_length=120)
    mission = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        label="Mission statement",
        help_text="What the agency does better with these models, for whom, and what "
        "happens today without them.",
    )


class NewProjectForm(ProjectForm):
    slug = forms.SlugField(
        max_length=60,
        label="Short name",
        help_text="Stands in addresses and cannot be changed. Lower-case letters, "
        "digits and hyphens.",
    )
    field_order = ["name", "slug", "mission"]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        return slug.lower()


class ObjectiveForm(PortalForm):
    measure = forms.CharField(
        max_length=200,
        help_text="Such as: cost of inspections and missed damage per 1,000 strikes.",
    )
    unit = forms.CharField(max_length=60, help_text="Such as: hours, or USD.")
    direction = forms.ChoiceField(
        choices=Direction.choices, initial=Direction.LOWER, label="Which way is better"
    )
    baseline = forms.FloatField(help_text="The measure today, without a model.")
    target = forms.FloatField(help_text="The measure you promise.")
    false_alarm_cost = forms.FloatField(
        min_value=0,
        label="Cost of a false alarm",
        help_text="In the unit above: acting where nothing was wrong.",
    )
    miss_cost = forms.FloatField(
        min_value=0,
        label="Cost of a miss",
        help_text="In the unit above: not acting where something was wrong.",
    )


class CodePolicyForm(PortalForm):
    allows_code = forms.BooleanField(
        required=False,
        label="People may run their own code on this project's data",
        help_text="Whoever may launch training may then send a project of their own. "
        "It runs apart from the portal and without network, and becomes a run.",
    )


class ImpactForm(PortalForm):
    impact = forms.ChoiceField(
        choices=[(i.value, i.label) for i in (Impact.NOT_HIGH, Impact.HIGH)],
        widget=forms.RadioSelect,
        label="Determination",
    )
    reason = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Why, in the words that an inspector will read.",
    )


class RoleForm(PortalForm):
    role = forms.ChoiceField(
        choices=[(role.slug, role.title) for role in PROJECT_ROLES]
    )


class MemberForm(RoleForm):
    email = forms.EmailField(
        label="E-mail address", help_text="Of somebody who has an account here."
    )
    field_order = ["email", "role"]


class GrantForm(PortalForm):
    email = forms.EmailField(label="E-mail address")

    def __init__(self, *args: Any, sharing: Sharing, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = (
            "Of somebody with an account here, member of this project or not."
            if sharing.with_outsiders
            else "Of a member of this project."
        )
