import secrets

from apps.home.demo.people import create_people


def test_no_password_is_like_the_address_of_who_gets_it(db, monkeypatch):
    refused = ["granite", "summit", "maple", "birch", "meadow"]
    ordinary = secrets.choice
    monkeypatch.setattr(
        "secrets.choice", lambda words: refused.pop(0) if refused else ordinary(words)
    )

    people = create_people()

    assert not refused
    assert all(
        access.user.check_password(access.password) for access in people.values()
    )
