"""The session that carries chat calls: what is sent to whom, by which way, and what its errors stand for."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import Kind, NoReply, Received, classify
from consciousness_cluster.endpoint.transport import ChatTransport, proxy_for

from tests.support.fake_endpoint import FakeEndpoint

BODY = {"model": "org/m", "messages": [{"role": "user", "content": "Warum \u00e4ndern? \ud83d"}]}


def sent(endpoint: Endpoint) -> Received | NoReply:
    async def work() -> Received | NoReply:
        transport = ChatTransport(endpoint)
        try:
            return await transport.send(BODY)
        finally:
            await transport.close()

    return asyncio.run(work())


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_what_a_request_carries(fake_endpoint: FakeEndpoint) -> None:
    """Half a character cannot be sent; all else is as it stands."""
    found = sent(Endpoint(fake_endpoint.url, "sk-key"))
    assert isinstance(found, Received) and found.status == 200 and found.headers.get("content-type")
    assert fake_endpoint.requests[0]["messages"][0]["content"] == "Warum \u00e4ndern? ?"
    assert fake_endpoint.paths == ["/v1/chat/completions"] and fake_endpoint.keys == ["Bearer sk-key"]
    assert fake_endpoint.headers[0]["user-agent"].startswith("consciousness-cluster/")


def test_the_key_stands_where_the_endpoint_wants_it(fake_endpoint: FakeEndpoint) -> None:
    address = fake_endpoint.url.replace("/v1", "/deployments/{model}?api-version=1")
    sent(Endpoint(address, "sk-key", key_header="api-key"))
    assert fake_endpoint.paths == ["/deployments/org%2Fm/chat/completions?api-version=1"]
    assert fake_endpoint.keys == [""] and fake_endpoint.headers[0]["api-key"] == "sk-key"


def test_no_key_follows_a_redirect(fake_endpoint: FakeEndpoint) -> None:
    """Whoever answers elsewhere gets neither key nor prompt; the run stops with a line that says where it points."""
    with FakeEndpoint() as moved:
        moved.reply = lambda request, number: (307, {}, {"Location": f"{fake_endpoint.url}/chat/completions"})
        found = sent(Endpoint(moved.url, "sk-key", key_header="api-key"))
    assert not fake_endpoint.requests and isinstance(found, Received) and found.status == 307
    fault = classify(found, str)
    assert fault and fault.fatal and fake_endpoint.url in str(fault) and "give the address that answers" in str(fault)


def test_a_user_and_password_in_the_address_stand_in_place_of_the_key(fake_endpoint: FakeEndpoint) -> None:
    sent(Endpoint(fake_endpoint.url.replace("//", "//me:p%40ss@"), "sk-key"))
    assert fake_endpoint.keys == ["Basic bWU6cEBzcw=="]  # me:p@ss


def test_a_proxy_of_the_environment_is_used(fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", fake_endpoint.url.removesuffix("/v1"))
    assert isinstance(sent(Endpoint("http://api.example/v1", "k")), Received)
    assert fake_endpoint.paths == ["http://api.example/v1/chat/completions"]
    monkeypatch.setenv("NO_PROXY", "api.example")
    assert proxy_for("http://api.example/v1") is None and proxy_for("http://other.example/v1")
    monkeypatch.setenv("ALL_PROXY", "http://all:1")
    assert proxy_for("https://other.example/v1") == "http://all:1"


@contextmanager
def speaking(answer: bytes | None) -> Iterator[str]:
    """A server that says this to whoever comes and hangs up; None: it says nothing, and stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    ended.wait(10)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        ended.set()
        thread.join()


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"
NAMELESS = "http://no-such-host.invalid/v1"


@pytest.mark.parametrize(
    ("answer", "kind"), [(None, Kind.TIMEOUT), (b"", Kind.BROKEN), (HALF, Kind.BROKEN), (b"hello\r\n\r\n", Kind.BROKEN)]
)
def test_what_a_connection_that_fails_stands_for(answer: bytes | None, kind: Kind) -> None:
    with speaking(answer) as url:
        assert sent(Endpoint(url, "k", timeout_seconds=0.2 if answer is None else 20)) == NoReply(kind)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", NAMELESS])
def test_nobody_there(url: str) -> None:
    assert sent(Endpoint(url, "k")) == NoReply(Kind.CONNECTION)


def test_a_certificate_of_nobody_is_no_connection(fake_endpoint: FakeEndpoint) -> None:
    """What speaks no TLS at all."""
    assert sent(Endpoint(fake_endpoint.url.replace("http:", "https:"), "k")) == NoReply(Kind.CONNECTION)
