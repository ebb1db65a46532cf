"""What approvals say of a version that a script wants to put into use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from apps.access.checks import ALLOWED, Decision, Denied
from apps.approvals.models import ApprovalRequest, ApprovalStatus
from apps.approvals.serving import serving_decision
from apps.registry.models import AliasName, Stage

if TYPE_CHECKING:
    from apps.mlflow_api.caller import Caller
    from apps.registry.models import ModelVersion

GOVERNED = {AliasName.CHAMPION.value, Stage.PRODUCTION.value}


def approval_of(caller: Caller, version: ModelVersion, wanted: str) -> Decision:
    """Say whether an approval of `version` is in force, and where to go.

    Args:
        caller: who asks.
        version: what is to be put into use.
        wanted: the alias or stage that it would get; of others nothing is asked.

    Returns:
        A decision whose reason ends with the whole address of the open request, or of
        the page of the version, where one is asked for.
    """
    if wanted not in GOVERNED:
        return ALLOWED
    decision = serving_decision(version)
    reason = decision.reason or f"The approval of {version} is in force."
    requests = ApprovalRequest.objects.visible_to(caller.user)
    request = requests.filter(version=version, status=ApprovalStatus.IN_REVIEW).first()
    if request:
        way = f"It is being reviewed: {_address(caller, request.get_absolute_url())}"
    else:
        way = f"See {_address(caller, version.get_absolute_url())}"
    if decision:
        return Decision(allowed=True, reason=f"{reason} {way}")
    return Denied(f"{reason} {way}")


def _address(caller: Caller, path: str) -> str:
    return f"{settings.PORTAL_URL.rstrip('/') or caller.address}{path}"
