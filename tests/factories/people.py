"""People as an administrator would create them."""

from apps.accounts import actions
from apps.accounts.models import User

PASSWORD = "correct horse battery staple"


def administrator(email: str = "ada@agency.example") -> User:
    found = User.objects.filter(email=email).first()
    if found:
        return found
    return actions.create_first_administrator(
        email=email, full_name="Ada Admin", password=PASSWORD
    )


def person(email: str, full_name: str = "Some Person", **kwargs) -> User:
    return actions.create_person(
        email=email,
        full_name=full_name,
        password=PASSWORD,
        by=administrator(),
        **kwargs,
    )
