from django.urls import path

from apps.approvals import (
    views,
    views_delegations,
    views_discussion,
    views_emergencies,
    views_policies,
    views_practices,
    views_reading,
    views_signing,
    views_waivers,
)

app_name = "approvals"
urlpatterns = [
    path("approval-policies/", views_policies.policies, name="policies"),
    path("approval-policies/<slug:name>/", views_policies.policy, name="policy"),
    path(
        "approval-policies/<slug:name>/write/",
        views_policies.write_policy,
        name="write_policy",
    ),
    path(
        "approval-policies/<slug:name>/check/",
        views_policies.check_policy,
        name="check_policy",
    ),
    path(
        "approval-policies/<slug:name>/versions/<int:number>/",
        views_policies.policy_version,
        name="policy_version",
    ),
    path(
        "approval-policies/<slug:name>/versions/<int:number>/rehearsal/",
        views_policies.rehearse_policy,
        name="rehearse_policy",
    ),
    path(
        "projects/<slug:slug>/emergencies/",
        views_emergencies.emergencies,
        name="emergencies",
    ),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/"
        "declare-emergency/",
        views_emergencies.declare_emergency,
        name="declare_emergency",
    ),
    path("emergencies/<uuid:pk>/", views_emergencies.emergency, name="emergency"),
    path(
        "emergencies/<uuid:pk>/confirm/",
        views_emergencies.confirm_emergency,
        name="confirm_emergency",
    ),
    path(
        "emergencies/<uuid:pk>/end/",
        views_emergencies.end_emergency,
        name="end_emergency",
    ),
    path("waivers/", views_waivers.waivers, name="waivers"),
    path(
        "waivers/public-summary.<slug:ending>",
        views_waivers.public_summary,
        name="waiver_summary",
    ),
    path("waivers/<uuid:pk>/", views_waivers.waiver, name="waiver"),
    path(
        "waivers/<uuid:pk>/revoke/", views_waivers.revoke_waiver, name="revoke_waiver"
    ),
    path(
        "waivers/<uuid:pk>/report/", views_waivers.report_waiver, name="report_waiver"
    ),
    path(
        "projects/<slug:slug>/waivers/",
        views_waivers.project_waivers,
        name="project_waivers",
    ),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/practices/",
        views_practices.practices,
        name="practices",
    ),
    path(
        "projects/<slug:slug>/delegations/",
        views_delegations.delegations,
        name="delegations",
    ),
    path(
        "delegations/<uuid:pk>/revoke/",
        views_delegations.revoke_delegation,
        name="revoke_delegation",
    ),
    path(
        "projects/<slug:slug>/approval-requests/", views.list_requests, name="requests"
    ),
    path(
        "projects/<slug:slug>/models/<str:name>/versions/<int:number>/"
        "request-approval/",
        views.request_approval,
        name="request_approval",
    ),
    path("approval-requests/<uuid:pk>/", views.approval_request, name="request"),
    path(
        "approval-requests/<uuid:pk>/changes/",
        views_reading.approval_changes,
        name="changes",
    ),
    path(
        "approval-requests/<uuid:pk>/sign-off-record.<slug:ending>",
        views_reading.sign_off_record,
        name="sign_off_record",
    ),
    path(
        "approval-requests/<uuid:pk>/sign-off/",
        views_signing.sign_off,
        name="sign_off",
    ),
    path("approval-requests/<uuid:pk>/reject/", views_signing.reject, name="reject"),
    path(
        "approval-requests/<uuid:pk>/request-changes/",
        views_signing.request_changes,
        name="request_changes",
    ),
    path(
        "approval-requests/<uuid:pk>/sign-offs/<uuid:sign_off>/withdraw/",
        views_signing.withdraw_sign_off,
        name="withdraw_sign_off",
    ),
    path(
        "approval-requests/<uuid:pk>/conditions/<uuid:condition>/meet/",
        views_signing.meet_condition,
        name="meet_condition",
    ),
    path(
        "approval-requests/<uuid:pk>/comments/",
        views_discussion.write_comment,
        name="write_comment",
    ),
    path(
        "approval-requests/<uuid:pk>/comments/<uuid:comment>/withdraw/",
        views_discussion.withdraw_comment,
        name="withdraw_comment",
    ),
    path("approval-requests/<uuid:pk>/revoke/", views_signing.revoke, name="revoke"),
    path(
        "approval-requests/<uuid:pk>/withdraw/",
        views.withdraw_request,
        name="withdraw_request",
    ),
]
