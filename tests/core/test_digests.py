import pytest

from apps.core.digests import canonical_digest


def test_order_of_keys_does_not_matter():
    first = canonical_digest({"a": 1, "b": [True, None]})
    second = canonical_digest({"b": [True, None], "a": 1})

    assert first == second
    assert len(first) == 64


@pytest.mark.parametrize("other", [{"a": 2}, {"a": "1"}, {"b": 1}, {"a": [1]}, {}])
def test_other_content_has_another_digest(other):
    assert canonical_digest(other) != canonical_digest({"a": 1})


def test_a_number_that_is_none_has_no_digest():
    with pytest.raises(ValueError, match="nan"):
        canonical_digest({"a": float("nan")})
