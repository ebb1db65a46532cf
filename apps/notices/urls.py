from django.urls import path

from apps.notices import views

app_name = "notices"
urlpatterns = [
    path("inbox/notices/<uuid:pk>/", views.open_notice, name="open_notice"),
    path("inbox/notices/<uuid:pk>/read/", views.read_notice, name="read_notice"),
    path("inbox/mail/", views.choose_mail, name="mail"),
    path("inbox/read-notices/", views.read_notices, name="read_notices"),
]
