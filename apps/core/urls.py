"""Addresses that belong to no noun."""

from django.urls import path

from apps.core import views

app_name = "core"
urlpatterns = [
    path("healthz", views.health, name="health"),
    path("components/", views.components, name="components"),
]
