"""Strangers cost little: no byte of theirs is read, no socket of theirs is held for long."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog
import uvicorn
from fastapi.testclient import TestClient
from waiting import wait_until

from hbmlc_service.app import create_app
from hbmlc_service.server import make_server
from hbmlc_store.embedded.child import free_port
from hbmlc_store.settings import Settings

PATIENCE = 20.0
Message = dict[str, Any]


def ask(app: Any, *, method: str, path: str, headers: dict[str, str], body: Any) -> list[Message]:
    """Ask the application itself, so that one sees whether it reads the body."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 2),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, body, send))
    return sent


async def unreadable() -> Message:
    """The body of a request whose sender waits for a word first."""
    pytest.fail("the body was read")


MULTIPART = "multipart/form-data; boundary=x"


@pytest.mark.parametrize("media_type", [MULTIPART, "application/json"])
@pytest.mark.parametrize("path", ["/v1/catalogs", "/v1/calibrations", "/admin/v1/accounts"])
@pytest.mark.parametrize("key", [None, "Bearer hbk_x", "Basic eDp5"])
def test_a_body_without_a_key_is_not_read(
    app_client: TestClient, path: str, media_type: str, key: str | None
) -> None:
    headers = {"Content-Type": media_type, "Expect": "100-continue"}
    headers |= {"Authorization": key} if key else {}

    sent = ask(app_client.app, method="POST", path=path, headers=headers, body=unreadable)

    assert sent[0]["status"] == 401


@pytest.mark.parametrize(
    ("path", "media_type", "length"),
    [
        ("/v1/calibrations", MULTIPART, 2 * 2**20),
        ("/v1/catalogs", "application/json", 2 * 2**20),
        ("/v1/catalogs", MULTIPART, 65 * 2**20),
        ("/v1/catalogs", MULTIPART, 10**30),
    ],
)
def test_a_body_announced_as_too_long_is_not_read(
    client: TestClient, path: str, media_type: str, length: int
) -> None:
    headers = {
        "Authorization": client.headers["Authorization"],
        "Content-Type": media_type,
        "Content-Length": str(length),
        "Expect": "100-continue",
    }

    sent = ask(client.app, method="POST", path=path, headers=headers, body=unreadable)

    assert sent[0]["status"] == 413


def test_a_form_is_no_way_around_the_limit_of_a_document(client: TestClient) -> None:
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 2**16, "more_body": True}

    headers = {"Authorization": client.headers["Authorization"], "Content-Type": MULTIPART}

    sent = ask(client.app, method="POST", path="/v1/calibrations", headers=headers, body=endless)

    assert sent[0]["status"] == 413
    assert read <= 17


def test_a_body_that_stalls_is_given_up(
    settings: Settings, account: UUID, key_of: Callable[..., str]
) -> None:
    app = create_app(settings.model_copy(update={"stall_seconds": 0.2}))
    headers = {"Authorization": f"Bearer {key_of(account)}", "Content-Type": "application/json"}

    async def silent() -> Message:
        await asyncio.sleep(PATIENCE)
        return {"type": "http.disconnect"}

    started = time.monotonic()
    sent = ask(app, method="POST", path="/v1/catalogs", headers=headers, body=silent)

    assert sent[0]["status"] == 408
    assert time.monotonic() - started < PATIENCE / 2


def test_a_refused_sender_hears_why(server: tuple[str, int]) -> None:
    body = b"x" * (8 * 2**20)
    with httpx.Client(base_url=f"http://{server[0]}:{server[1]}", timeout=PATIENCE) as client:
        answer = client.put("/v1/catalogs/x/content", content=body)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.fixture
def server(settings: Settings) -> Iterator[tuple[str, int]]:
    """A real server that gives connections little time and little room."""
    bound = settings.model_copy(
        update={"head_seconds": 0.5, "max_connections": 3, "port": free_port()}
    )
    app = create_app(bound)
    made = make_server(app, bound, on_exit=app.state.context.changes.close)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    wait_until(lambda: made.started)
    yield bound.host, bound.port
    stop(made)
    thread.join(PATIENCE)


def stop(server: uvicorn.Server) -> None:
    server.should_exit = True


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_that_does_not_say_what_it_wants_is_closed(
    server: tuple[str, int], said: bytes
) -> None:
    with socket.create_connection(server, timeout=PATIENCE) as connection:
        connection.sendall(said)

        assert connection.recv(100) == b""


def test_a_connection_is_served_again_and_again(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=PATIENCE) as connection:
        for _ in range(3):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                piece = connection.recv(4096)
                assert piece
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200")


def test_more_connections_than_allowed_are_refused_with_a_word(server: tuple[str, int]) -> None:
    held = [socket.create_connection(server, timeout=PATIENCE) for _ in range(3)]
    try:
        with socket.create_connection(server, timeout=PATIENCE) as surplus:
            answer = surplus.recv(4096)
    finally:
        for connection in held:
            connection.close()

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After" in answer


def test_a_malformed_body_of_a_stranger_is_no_failure_of_ours(server: tuple[str, int]) -> None:
    with structlog.testing.capture_logs() as lines, socket.create_connection(server) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(
            b"POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n"
        )
        while connection.recv(4096):
            pass

    assert not [line for line in lines if line["log_level"] == "error"]


def test_no_sign_of_an_address_gets_into_the_log_as_it_is(app_client: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        app_client.get("/x%1b]0;owned%07")

    paths = [line["path"] for line in lines if line["event"] == "Request answered"]
    assert paths == ["/x\\x1b]0;owned\\x07"]
