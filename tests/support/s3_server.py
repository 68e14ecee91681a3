"""A real S3 protocol server over HTTP, with a door through which faults come in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
REGION = "us-east-1"

Environ = dict[str, Any]
Fault = Callable[[Environ], tuple[str, bytes] | None]
"""Answers a request in the server's place with status and body, or lets it pass."""


@dataclass(kw_only=True)
class S3Server:
    """A running server and what it was asked."""

    server: BaseWSGIServer
    requests: list[Environ] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def client(self) -> Any:
        """A client by other hands than ours, to see what is really there."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
        )

    def asked_to_copy(self) -> bool:
        """Whether anybody asked for a CopyObject, which ends at 5 GiB."""
        return any("HTTP_X_AMZ_COPY_SOURCE" in environ for environ in self.requests)


@contextmanager
def serve_s3() -> Iterator[S3Server]:
    """Run a server for the length of the block."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    backend = DomainDispatcherApplication(create_backend_app)

    def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
        running.requests.append(environ)
        answer = running.fault(environ) if running.fault is not None else None
        if answer is None:
            return backend(environ, start_response)
        status, body = answer
        start_response(status, [("Content-Length", str(len(body)))])
        return [body]

    running = S3Server(server=make_server("127.0.0.1", 0, application, threaded=True))
    thread = threading.Thread(target=running.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        thread.join()
        running.server.server_close()
