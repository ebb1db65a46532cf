"""Rows of what people are told."""

from apps.notices.models import Delivery, DeliveryStatus
from tests.factories import notices
from tests.permission_rows import (
    PEOPLE,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
    of_project,
)


def to_validator(world):
    return {"pk": notices.told(world.project, world.validator).pk}, None


def daily(world):
    return {}, {"mail": "daily"}


def manager(status: int) -> dict[str, int]:
    return {PROGRAM_MANAGER: status, **everybody(404, *STRANGERS)}


def to_add(world):
    return {"slug": world.project.slug}, {"url": notices.URL}


def webhook(world):
    return {"pk": notices.webhook(world.project, world.program_manager).pk}, None


def given_up(world):
    made = notices.webhook(world.project, world.program_manager)
    notices.tell(world.project)
    delivery = Delivery.objects.get(webhook=made)
    Delivery.objects.update(status=DeliveryStatus.FAILED)
    return {"pk": delivery.pk}, None


READ = everybody(200, *READERS)

ROWS = [
    Row("notices:webhooks", "get", of_project, READ),
    Row("notices:webhooks", "post", to_add, manager(200), others=403),
    Row("notices:webhook", "get", webhook, READ),
    Row("notices:remove_webhook", "post", webhook, manager(302), others=403),
    Row("notices:resend_delivery", "post", given_up, manager(302), others=403),
    Row("v1:webhooks", "get", of_project, READ),
    Row("v1:webhooks", "post", to_add, manager(201), others=403),
    Row("v1:remove_webhook", "post", webhook, manager(200), others=403),
    Row("v1:deliveries", "get", webhook, READ),
    Row("v1:resend_delivery", "post", given_up, manager(200), others=403),
    Row("notices:open_notice", "get", to_validator, {VALIDATOR: 302}),
    Row("notices:read_notice", "post", to_validator, {VALIDATOR: 302}),
    Row("notices:read_notices", "post", expect=everybody(302, *PEOPLE)),
    Row("notices:mail", "get", expect=everybody(200, *PEOPLE)),
    Row("notices:mail", "post", daily, everybody(302, *PEOPLE)),
    Row("v1:mail", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:mail", "put", daily, everybody(200, *PEOPLE)),
    Row("v1:notices", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:read_notice", "post", to_validator, {VALIDATOR: 200}),
    Row("v1:read_notices", "post", expect=everybody(200, *PEOPLE)),
]
