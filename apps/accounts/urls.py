from django.contrib.auth.views import LogoutView
from django.urls import path

from apps.accounts import views, views_erasure

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("account/", views.account, name="account"),
    path(
        "account/change-password/",
        views.ChangePasswordView.as_view(),
        name="change_password",
    ),
    path("account/issue-token/", views.issue_token, name="issue_token"),
    path("account/tokens/<uuid:pk>/revoke/", views.revoke_token, name="revoke_token"),
    path("people/", views.people, name="people"),
    path("people/create/", views.create_person, name="create_person"),
    path("people/<uuid:pk>/", views.person, name="person"),
    path("people/<uuid:pk>/edit/", views.edit_person, name="edit_person"),
    path(
        "people/<uuid:pk>/set-agency-roles/",
        views.set_agency_roles,
        name="set_agency_roles",
    ),
    path(
        "people/<uuid:pk>/deactivate/",
        views.deactivate_person,
        name="deactivate_person",
    ),
    path(
        "people/<uuid:pk>/request-erasure/",
        views_erasure.request_erasure,
        name="request_erasure",
    ),
    path("erasures/", views_erasure.erasures, name="erasures"),
    path("erasures/<uuid:pk>/", views_erasure.erasure, name="erasure"),
    path(
        "erasures/<uuid:pk>/approve/",
        views_erasure.approve_erasure,
        name="approve_erasure",
    ),
    path(
        "erasures/<uuid:pk>/withdraw/",
        views_erasure.withdraw_erasure,
        name="withdraw_erasure",
    ),
]
