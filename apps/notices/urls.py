from django.urls import path

from apps.notices import views, views_webhooks

app_name = "notices"
urlpatterns = [
    path("inbox/notices/<uuid:pk>/", views.open_notice, name="open_notice"),
    path("inbox/notices/<uuid:pk>/read/", views.read_notice, name="read_notice"),
    path("inbox/mail/", views.choose_mail, name="mail"),
    path("projects/<slug:slug>/webhooks/", views_webhooks.webhooks, name="webhooks"),
    path("webhooks/<uuid:pk>/", views_webhooks.webhook, name="webhook"),
    path(
        "webhooks/<uuid:pk>/remove/",
        views_webhooks.remove_webhook,
        name="remove_webhook",
    ),
    path(
        "webhook-deliveries/<uuid:pk>/resend/",
        views_webhooks.resend_delivery,
        name="resend_delivery",
    ),
    path("inbox/read-notices/", views.read_notices, name="read_notices"),
]
