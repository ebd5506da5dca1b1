"""Where calls go: what is shown of it, and which key goes where."""

import pytest
from consciousness_cluster.endpoint.address import Endpoint, key_in
from consciousness_cluster.errors import UserError

KEY = "sk-a-key-of-some-length"
LOCAL = "http://localhost:8000/v1"


def test_the_address_is_shown_without_secrets() -> None:
    endpoint = Endpoint("https://me:secret@host:1/v1?key=secret", KEY)
    assert endpoint.shown == "https://host:1/v1" and KEY not in repr(endpoint)


def test_a_key_is_replaced_in_what_the_endpoint_says() -> None:
    assert Endpoint(LOCAL, KEY).words(f"bad\n key {KEY}!") == "bad key [key]!"
    assert Endpoint(LOCAL, KEY).words(f"{'x' * 290} {KEY}") == f"{'x' * 290} [key]"
    assert Endpoint(LOCAL, KEY).words("x" * 999, 400) == "x" * 400


@pytest.mark.parametrize("key", ["", "none", "NONE", "empty", "dummy", "EMPTY", "x", "sk-1"])
def test_placeholders_are_no_keys_to_hide(key: str) -> None:
    """B13: with the key "none", "none of the files was found" became "[key] of the files was found"."""
    said = "none of the files was found, x is empty, dummy sk-1"
    assert Endpoint(LOCAL, key).words(said) == said


@pytest.mark.parametrize("key", [f"{KEY}\nx", f"{KEY}é", f"{KEY}\x00"])
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(UserError, match="OURS holds characters that no key has") as caught:
        key_in("OURS", {"OURS": key})
    assert KEY not in str(caught.value)
    assert key_in("OURS", {"OURS": f" {KEY}\n"}) == KEY


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (LOCAL, f"{LOCAL}/chat"),
        (f"{LOCAL}/", f"{LOCAL}/chat"),
        (f"{LOCAL}/{{model}}?api-version=1", f"{LOCAL}/my%2Fm/chat?api-version=1"),
    ],
)
def test_the_address_of_a_call(base_url: str, url: str) -> None:
    assert Endpoint(base_url, KEY).url("chat", "my/m") == url
