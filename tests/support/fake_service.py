"""A service in memory, at the network edge: for transports of httpx and over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

import httpx

API_KEY = "hbk_test"
NOW = "2026-01-01T00:00:00Z"
_SPACE = UUID(int=7)


@dataclass
class Call:
    """One request as the service saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """One answer."""

    status: int = 200
    document: object = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"" if self.document is None else json.dumps(self.document).encode()


class Disconnect(Exception):  # noqa: N818 -- an event, not a fault of ours
    """The connection breaks instead of an answer."""


def problem(status: int, code: str, detail: str = "what and why", **more: Any) -> Reply:
    document = {
        "type": f"/problems/{code}",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "req-1",
        **more,
    }
    return Reply(status=status, document=document)


class FakeService:
    """Catalogues, calibrations and results, enough for the SDK."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.interruptions: list[Reply | type[Disconnect]] = []
        """Taken one by one instead of real answers."""
        self.results = {"photoz.parquet": bytes(range(256)) * 40, "metrics.json": b'{"nmad": 0.02}'}
        self.cut_downloads: list[int] = []
        """Bytes after which the next downloads break off."""
        self.corrupt_downloads = 0
        self.catalog_states = ["INGESTING", "READY"]
        self.report: dict[str, Any] = {}
        """What is found in every upload."""
        self.phases = ["QUEUED", "EXECUTING", "COMPLETED"]
        self.catalogs: dict[str, dict[str, Any]] = {}
        self.calibrations: dict[str, dict[str, Any]] = {}
        self.trainings: dict[str, dict[str, Any]] = {}
        self.is_better = True
        """What the gate says of the next training."""
        self._by_key: dict[str, str] = {}

    def answer(self, call: Call) -> Reply:
        self.calls.append(call)
        if self.interruptions:
            found = self.interruptions.pop(0)
            if isinstance(found, Reply):
                return found
            raise found
        if call.path == "/healthz":
            return Reply(document={"status": "ok", "version": "0"})
        if call.headers.get("authorization") != f"Bearer {API_KEY}":
            return problem(401, "unauthorized")
        parts = call.path.strip("/").split("/")
        handler = getattr(self, f"_{parts[1].replace('-', '_')}", None)
        return handler(call, parts[2:]) if handler else problem(404, "not-found")

    def _catalogs(self, call: Call, rest: list[str]) -> Reply:  # noqa: PLR0911 -- a table of routes
        match call.method, rest:
            case "POST", []:
                return self._announce(call)
            case "GET", []:
                return self._page(call, list(self.catalogs.values()))
            case "PUT", [name, "content"]:
                digest = base64.b64encode(hashlib.sha256(call.body).digest()).decode()
                if call.headers["content-digest"] != f"sha-256=:{digest}:":
                    return problem(422, "digest-mismatch")
                self.catalogs[name] |= {"state": "INGESTING", "size_bytes": len(call.body)}
                return Reply(202, self.catalogs[name])
            case "PATCH", [name, "mapping"]:
                self.catalogs[name]["mapping"] = json.loads(call.body)
                return Reply(document=self.catalogs[name])
            case "GET", [name] if name in self.catalogs:
                found = self.catalogs[name]
                if found["state"] == "INGESTING":
                    found["state"] = self.catalog_states.pop(0)
                    if found["state"] == "REJECTED":
                        found["problem"] = problem(422, "no-band-recognised").document
                    found |= self.report
                return Reply(document=found)
            case "DELETE", [name] if name in self.catalogs:
                del self.catalogs[name]
                return Reply(204)
        return problem(404, "catalog-not-found")

    def _announce(self, call: Call) -> Reply:
        key = call.headers["idempotency-key"]
        if key not in self._by_key:
            name = str(uuid5(_SPACE, f"catalog-{len(self.catalogs)}"))
            asked = json.loads(call.body)
            self._by_key[key] = name
            self.catalogs[name] = {"id": name, "state": "CREATED", "created_at": NOW, **asked}
            self.catalogs[name]["updated_at"] = NOW
        return Reply(201, self.catalogs[self._by_key[key]])

    def _calibrations(self, call: Call, rest: list[str]) -> Reply:  # noqa: PLR0911 -- as above
        match call.method, rest:
            case "POST", []:
                return self._request(call)
            case "GET", []:
                return self._page(call, list(self.calibrations.values()))
            case "GET", [name] if name in self.calibrations:
                found = self.calibrations[name]
                found["phase"] = self.phases.pop(0) if self.phases else found["phase"]
                return Reply(document=found)
            case "POST", [name, "abort"]:
                self.calibrations[name]["phase"] = "ABORTED"
                return Reply(document=self.calibrations[name])
            case "DELETE", [name]:
                del self.calibrations[name]
                return Reply(204)
            case "GET", [_, "results"]:
                return Reply(document={"items": [self._result(name) for name in self.results]})
            case "GET", [_, "results", name] if name in self.results:
                return self._download(call, name)
        return problem(404, "calibration-not-found")

    def _request(self, call: Call) -> Reply:
        key = call.headers["idempotency-key"]
        asked = json.loads(call.body)
        if key not in self._by_key:
            name = str(uuid5(_SPACE, f"calibration-{len(self.calibrations)}"))
            self._by_key[key] = name
            self.calibrations[name] = {
                "id": name,
                "catalog_id": asked["catalog_id"],
                "model": {"name": "lsst-ugrizy", "version": 1},
                "options": asked.get("options", {}),
                "seed": asked["seed"],
                "phase": "PENDING",
                "created_at": NOW,
                "progress": {
                    "fraction": 0.5,
                    "stages": [{"stage": "SURVEY", "done": 1, "total": 2, "fraction": 0.5}],
                },
            }
        return Reply(202, self.calibrations[self._by_key[key]])

    def _trainings(self, call: Call, rest: list[str]) -> Reply:
        match call.method, rest:
            case "POST", []:
                return self._request_training(call)
            case "GET", []:
                return self._page(call, list(self.trainings.values()))
            case "GET", [name] if name in self.trainings:
                found = self.trainings[name]
                found["phase"] = self.phases.pop(0) if self.phases else found["phase"]
                if found["phase"] == "COMPLETED":
                    found["result"] = self._trained(found)
                return Reply(document=found)
            case "POST", [name, "abort"]:
                self.trainings[name]["phase"] = "ABORTED"
                return Reply(document=self.trainings[name])
            case "DELETE", [name] if name in self.trainings:
                del self.trainings[name]
                return Reply(204)
        return problem(404, "no-such-training")

    def _request_training(self, call: Call) -> Reply:
        key = call.headers["idempotency-key"]
        if key not in self._by_key:
            name = str(uuid5(_SPACE, f"training-{len(self.trainings)}"))
            self._by_key[key] = name
            asked = json.loads(call.body)
            self.trainings[name] = {
                **asked,
                "id": name,
                "version": 1,
                "catalog_digests": [None] * len(asked["catalog_ids"]),
                "current": {"name": "lsst-ugrizy", "version": 2},
                "phase": "QUEUED",
                "created_at": NOW,
                "progress": {
                    "fraction": 0.5,
                    "stages": [{"stage": "TRAINING", "done": 0, "total": 1, "fraction": 0.5}],
                },
            }
        return Reply(202, self.trainings[self._by_key[key]])

    def _trained(self, training: dict[str, Any]) -> dict[str, Any]:
        is_promoted = self.is_better and training["promote"] == "if-better"
        return {
            "reference": f"{training['name']}:1",
            "digest": f"sha256:{'ab' * 32}",
            "bands": list("ugrizy"),
            "metrics": {"new": {"nmad": 0.02}, "current": {"nmad": 0.03}},
            "gate": {"is_better": self.is_better, "reason": "Because.", "n_held_out": 40},
            "is_promoted": is_promoted,
            "promotion": "It is production now." if is_promoted else "It stays in the registry.",
        }

    def _models(self, call: Call, rest: list[str]) -> Reply:
        version = {
            "name": "lsst-ugrizy",
            "version": 1,
            "digest": "ab" * 32,
            "bands": list("ugrizy"),
            "card": {"licence": "BSD"},
            "aliases": ["production"],
            "created_at": NOW,
        }
        match call.method, rest:
            case "GET", []:
                return Reply(document={"items": [version]})
            case "GET", ["lsst-ugrizy", "versions", "1"]:
                return Reply(document=version)
            case "GET", [name, "aliases"]:
                setting = {"name": name, "alias": "production", "version": 1, "updated_at": NOW}
                return Reply(document={"items": [{**setting, "set_by": "release"}]})
            case "PUT", [name, "aliases", alias]:
                wanted = json.loads(call.body)["version"]
                document = {"name": name, "alias": alias, "version": wanted, "updated_at": NOW}
                return Reply(document=document)
        return problem(404, "model-not-found")

    def _page(self, call: Call, items: list[dict[str, Any]]) -> Reply:
        start, limit = int(call.query.get("cursor", 0)), int(call.query["limit"])
        rest = items[start + limit :]
        cursor = str(start + limit) if rest else None
        return Reply(document={"items": items[start : start + limit], "next_cursor": cursor})

    def _result(self, name: str) -> dict[str, Any]:
        content = self.results[name]
        return {
            "name": name,
            "size_bytes": len(content),
            "digest": hashlib.sha256(content).hexdigest(),
            "media_type": "application/octet-stream",
            "href": "",
        }

    def _download(self, call: Call, name: str) -> Reply:
        content, status = self.results[name], 200
        asked = call.headers.get("range")
        if asked and call.headers.get("if-range") == f'"{self._result(name)["digest"]}"':
            content, status = content[int(asked.removeprefix("bytes=").rstrip("-")) :], 206
        if self.corrupt_downloads:
            self.corrupt_downloads -= 1
            content = bytes(len(content))
        return Reply(status, body=content)

    # Edges ------------------------------------------------------------------------------------

    def transport(self) -> httpx.MockTransport:
        """Transport for both kinds of httpx clients."""

        def handle(request: httpx.Request) -> httpx.Response:
            call = Call(
                method=request.method,
                path=request.url.path,
                query=dict(request.url.params),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.content,
            )
            try:
                reply = self.answer(call)
            except Disconnect:
                raise httpx.ReadError("connection reset") from None
            content = reply.content()
            is_download = call.path.count("/") == 5 and reply.status < 300
            if is_download and self.cut_downloads:
                stream = _Broken(content[: self.cut_downloads.pop(0)])
                return httpx.Response(reply.status, headers=reply.headers, stream=stream)
            return httpx.Response(reply.status, headers=reply.headers, content=content)

        return httpx.MockTransport(handle)

    @contextmanager
    def listening(self) -> Generator[str]:
        """Serve over real HTTP on a free port; yields the address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:
        yield self._content
        raise httpx.ReadError("connection reset")

    async def __aiter__(self) -> Any:
        yield self._content
        raise httpx.ReadError("connection reset")


def _handler(service: FakeService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            address = urlsplit(self.path)
            headers: Mapping[str, str] = {k.lower(): v for k, v in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            reply = service.answer(Call(self.command, address.path, query, dict(headers), body))
            content = reply.content()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as above
            pass

    return Handler
