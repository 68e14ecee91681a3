"""What strangers and greedy keys cost the API: memory and the time of others' requests.

``python -m benchmarks.strangers`` serves a home of its own. It measures the API's memory while many
connections without a key send form bodies to a route that takes none, and how long a request of
one account takes while other keys hold hundreds of event streams open.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

CONNECTIONS = 100
BODY_BYTES = 60 * 2**20
PIECE = b"x" * 2**16
N_KEYS = 20
STREAMS_OF_A_KEY = 20
N_REQUESTS = 50
START_SECONDS = 90.0
SETTLE_SECONDS = 5.0


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "home") as service:
        api = api_of(service["pid"])
        asyncio.run(measure_memory(service, api))
        asyncio.run(measure_streams(service))


@contextmanager
def serve(home: Path) -> Generator[dict[str, Any]]:
    """Serve a home while the block runs; gives its announcement."""
    command = [sys.executable, "-m", "hbmlc_store.embedded", "--home", str(home)]
    environment = {**os.environ, "HBMLC_LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, env=environment)
    try:
        announcement = home / "run" / "service.json"
        deadline = time.monotonic() + START_SECONDS
        while not announcement.exists():
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit("the service did not start")
            time.sleep(0.1)
        yield json.loads(announcement.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def api_of(supervisor: int) -> psutil.Process:
    """Process that answers HTTP."""
    children = psutil.Process(supervisor).children()
    return next(child for child in children if child.cmdline()[-1] == "hbmlc_service")


async def measure_memory(service: dict[str, Any], api: psutil.Process) -> None:
    """Memory of the API before and while connections without a key send long forms."""
    before = api.memory_info().rss
    host, port = service["url"].removeprefix("http://").split(":")
    peak = before
    tasks = [asyncio.create_task(send_form(host, int(port))) for _ in range(CONNECTIONS)]
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        peak = max(peak, api.memory_info().rss)
        await asyncio.sleep(0.02)
    answers = await asyncio.gather(*tasks)
    print(
        f"{CONNECTIONS} connections without a key, {BODY_BYTES >> 20} MiB of form each: "
        f"{before >> 20} -> {peak >> 20} MiB, answers {sorted(set(answers))}, "
    )


async def send_form(host: str, port: int) -> str:
    """Send a form to a route that takes a document; gives the status of the answer."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        b"POST /v1/calibrations HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n"
        + f"Content-Length: {BODY_BYTES}\r\n\r\n".encode()
    )
    status = asyncio.create_task(reader.readline())
    try:
        for _ in range(BODY_BYTES // len(PIECE)):
            if status.done():
                break
            writer.write(PIECE)
            await writer.drain()
    except ConnectionError:
        pass
    line = await status
    writer.close()
    return line.decode().split(" ")[1] if line else "closed"


async def measure_streams(service: dict[str, Any]) -> None:
    """Time of one account's requests while other keys follow a job with many streams."""
    headers = {"Authorization": f"Bearer {service['api_key']}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=service["url"], headers=headers, timeout=60, limits=limits
    ) as client:
        job = await start_job(client)
        keys = [
            (await client.post("/v1/api-keys", json={"name": f"{k}"})).json()["secret"]
            for k in range(N_KEYS)
        ]
        alone = await time_requests(client)
        streams = [
            asyncio.create_task(follow(client, job, key))
            for key in keys
            for _ in range(STREAMS_OF_A_KEY)
        ]
        await asyncio.sleep(SETTLE_SECONDS)
        beside = await time_requests(client)
        n_open = sum(not stream.done() for stream in streams)
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    print(
        f"request of another key, median of {N_REQUESTS}: {1e3 * alone:.1f} ms alone, "
        f"{1e3 * beside:.1f} ms beside {n_open} open streams"
    )


async def start_job(client: httpx.AsyncClient) -> str:
    """Start a long calibration; gives its id."""
    answer = await client.post("/v1/catalogs", files={"file": ("survey.csv", survey())})
    catalog = answer.json()["id"]
    await client.get(f"/v1/catalogs/{catalog}?wait=50")
    request = {"catalog_id": catalog, "options": {"draws": 20_000, "tune": 20_000}}
    return (await client.post("/v1/calibrations", json=request)).json()["id"]


async def follow(client: httpx.AsyncClient, job: str, key: str) -> None:
    """Follow a job until the task is cancelled."""
    headers = {"Authorization": f"Bearer {key}"}
    async with client.stream("GET", f"/v1/calibrations/{job}/events", headers=headers) as stream:
        async for _ in stream.aiter_lines():
            pass


async def time_requests(client: httpx.AsyncClient) -> float:
    """Median time of a small request [s]."""
    seconds: list[float] = []
    for _ in range(N_REQUESTS):
        started = time.perf_counter()
        (await client.get("/v1/catalogs")).raise_for_status()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def survey() -> bytes:
    """A small survey, every third galaxy labelled, as CSV."""
    rng = np.random.default_rng(5)
    z = rng.uniform(0.1, 1.5, 240)
    mag = 20.0 + z[:, None] * [2.5, 2.0, 1.4, 0.9, 0.6, 0.5] + rng.normal(0, 0.3, (240, 6))
    lines = ["id," + ",".join(f"mag_{b},mag_err_{b}" for b in "ugrizy") + ",z_spec"]
    for k in range(len(z)):
        values = ",".join(f"{m:.4f},0.03" for m in mag[k])
        lines.append(f"{k},{values},{z[k]:.4f}" if k % 3 == 0 else f"{k},{values},")
    return "\n".join(lines).encode()


if __name__ == "__main__":
    main()
