"""Resources of the asynchronous client; ``_resources`` is its twin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from hbmlc._core import requests
from hbmlc._core.async_driver import AsyncDriver
from hbmlc._core.effects import ProgressCallback
from hbmlc._core.exchange import RetryPolicy
from hbmlc._core.transfer import as_mapping, download, upload
from hbmlc._resources import DEFAULT_LIMIT, missing_result
from hbmlc.schemas import (
    Calibration,
    CalibrationOptions,
    CalibrationRequest,
    Catalog,
    ColumnMapping,
    ModelAlias,
    ModelAliasRequest,
    ModelVersion,
    Page,
    ResultFile,
)

__all__ = ["AsyncCalibrations", "AsyncCatalogs", "AsyncModels"]


class AsyncCatalogs:
    """``client.catalogs``: uploaded catalogues."""

    def __init__(self, driver: AsyncDriver, policy: RetryPolicy) -> None:
        self._driver = driver
        self._policy = policy

    async def create(
        self,
        source: Path | str,
        *,
        name: str | None = None,
        mapping: ColumnMapping | Mapping[str, object] | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> Catalog:
        """Upload a file; the service starts to read it when this returns."""
        flow = upload(
            Path(source),
            name=name,
            mapping=None if mapping is None else as_mapping(mapping),
            policy=self._policy,
            on_progress=on_progress,
        )
        return await self._driver.run(flow)

    async def get(self, catalog_id: UUID | str) -> Catalog:
        """Look at a catalogue."""
        return await self._driver.run(
            requests.get(f"/v1/catalogs/{catalog_id}", Catalog, self._policy)
        )

    async def wait(
        self,
        catalog_id: UUID | str,
        *,
        timeout: float,  # noqa: ASYNC109 -- the deadline of the work, as in the blocking twin
        on_progress: Callable[[Catalog], None] | None = None,
    ) -> Catalog:
        """Wait until a catalogue was read; raises ``CatalogRejectedError`` where it cannot be."""
        flow = requests.wait_for_catalog(
            UUID(str(catalog_id)), self._policy, timeout=timeout, on_progress=on_progress
        )
        return await self._driver.run(flow)

    async def pages(self, *, limit: int = DEFAULT_LIMIT) -> AsyncIterator[Page[Catalog]]:
        """List catalogues page by page, newest first."""
        cursor: str | None = None
        while True:
            flow = requests.page("/v1/catalogs", Catalog, self._policy, limit=limit, cursor=cursor)
            page = await self._driver.run(flow)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def list(self, *, limit: int = DEFAULT_LIMIT) -> AsyncIterator[Catalog]:
        """List catalogues across pages, newest first."""
        async for page in self.pages(limit=limit):
            for item in page.items:
                yield item

    async def remap(
        self, catalog_id: UUID | str, mapping: ColumnMapping | Mapping[str, object]
    ) -> Catalog:
        """Correct the column mapping; the content is read again.

        ``catalog.mapping_used`` with a change is such a mapping; ``None`` switches a guess off.
        """
        path = f"/v1/catalogs/{catalog_id}/mapping"
        return await self._driver.run(
            requests.put(path, as_mapping(mapping), Catalog, self._policy, method="PATCH")
        )

    async def delete(self, catalog_id: UUID | str) -> None:
        """Delete a catalogue and its content."""
        await self._driver.run(requests.delete(f"/v1/catalogs/{catalog_id}", self._policy))


class AsyncCalibrations:
    """``client.calibrations``: calibration jobs and their results."""

    def __init__(self, driver: AsyncDriver, policy: RetryPolicy) -> None:
        self._driver = driver
        self._policy = policy

    async def create(
        self,
        catalog_id: UUID | str,
        *,
        model: str | None = None,
        options: CalibrationOptions | None = None,
        seed: int = 0,
        label: str | None = None,
    ) -> Calibration:
        """Request a calibration of a catalogue."""
        asked = CalibrationRequest(
            catalog_id=UUID(str(catalog_id)),
            model=model,
            options=options or CalibrationOptions(),
            seed=seed,
            label=label,
        )
        flow = requests.create("/v1/calibrations", asked, Calibration, self._policy)
        return await self._driver.run(flow)

    async def get(self, calibration_id: UUID | str) -> Calibration:
        """Look at a calibration."""
        path = f"/v1/calibrations/{calibration_id}"
        return await self._driver.run(requests.get(path, Calibration, self._policy))

    async def wait(
        self,
        calibration_id: UUID | str,
        *,
        timeout: float,  # noqa: ASYNC109 -- the deadline of the work, as in the blocking twin
        on_progress: Callable[[Calibration], None] | None = None,
    ) -> Calibration:
        """Wait until a calibration is complete; raises ``CalibrationFailedError`` otherwise."""
        flow = requests.wait_for_calibration(
            UUID(str(calibration_id)), self._policy, timeout=timeout, on_progress=on_progress
        )
        return await self._driver.run(flow)

    async def pages(
        self, *, limit: int = DEFAULT_LIMIT, catalog_id: UUID | str | None = None
    ) -> AsyncIterator[Page[Calibration]]:
        """List calibrations page by page, newest first."""
        filters: Mapping[str, str] = {} if catalog_id is None else {"catalog_id": str(catalog_id)}
        cursor: str | None = None
        while True:
            flow = requests.page(
                "/v1/calibrations",
                Calibration,
                self._policy,
                limit=limit,
                cursor=cursor,
                filters=filters,
            )
            page = await self._driver.run(flow)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def list(
        self, *, limit: int = DEFAULT_LIMIT, catalog_id: UUID | str | None = None
    ) -> AsyncIterator[Calibration]:
        """List calibrations across pages, newest first."""
        async for page in self.pages(limit=limit, catalog_id=catalog_id):
            for item in page.items:
                yield item

    async def abort(self, calibration_id: UUID | str) -> Calibration:
        """Stop a calibration."""
        path = f"/v1/calibrations/{calibration_id}/abort"
        return await self._driver.run(requests.call(path, Calibration, self._policy))

    async def delete(self, calibration_id: UUID | str) -> None:
        """Delete a calibration and its results."""
        await self._driver.run(requests.delete(f"/v1/calibrations/{calibration_id}", self._policy))

    async def results(self, calibration_id: UUID | str) -> Sequence[ResultFile]:
        """List the result files; there are none before the calibration is complete."""
        return await self._driver.run(
            requests.list_results(UUID(str(calibration_id)), self._policy)
        )

    async def download(
        self,
        calibration_id: UUID | str,
        name: str,
        destination: Path | str,
        *,
        on_progress: ProgressCallback | None = None,
    ) -> Path:
        """Fetch one result file to the path ``destination``, checked against its digest."""
        calibration_id = UUID(str(calibration_id))
        files = await self.results(calibration_id)
        for file in files:
            if file.name == name:
                flow = download(
                    calibration_id,
                    file,
                    Path(destination),
                    policy=self._policy,
                    on_progress=on_progress,
                )
                return await self._driver.run(flow)
        raise missing_result(calibration_id, name, files)

    async def download_all(
        self,
        calibration_id: UUID | str,
        directory: Path | str,
        *,
        on_progress: ProgressCallback | None = None,
    ) -> dict[str, Path]:
        """Fetch all result files into a directory; paths by name."""
        calibration_id = UUID(str(calibration_id))
        paths: dict[str, Path] = {}
        for file in await self.results(calibration_id):
            flow = download(
                calibration_id,
                file,
                Path(directory) / file.name,
                policy=self._policy,
                on_progress=on_progress,
            )
            paths[file.name] = await self._driver.run(flow)
        return paths


class AsyncModels:
    """``client.models``: registered model versions."""

    def __init__(self, driver: AsyncDriver, policy: RetryPolicy) -> None:
        self._driver = driver
        self._policy = policy

    async def list(self) -> Sequence[ModelVersion]:
        """List every version of every model."""
        return await self._driver.run(requests.everything("/v1/models", ModelVersion, self._policy))

    async def get(self, name: str, version: int) -> ModelVersion:
        """Look at one version and its card."""
        path = f"/v1/models/{name}/versions/{version}"
        return await self._driver.run(requests.get(path, ModelVersion, self._policy))

    async def aliases(self, name: str) -> Sequence[ModelAlias]:
        """List every setting of the model's aliases, newest first, with who set it and why."""
        path = f"/v1/models/{name}/aliases"
        page = await self._driver.run(requests.get(path, Page[ModelAlias], self._policy))
        return page.items

    async def set_alias(self, name: str, alias: str, *, version: int) -> ModelAlias:
        """Point an alias at a version."""
        path = f"/v1/models/{name}/aliases/{alias}"
        asked = ModelAliasRequest(version=version)
        return await self._driver.run(requests.put(path, asked, ModelAlias, self._policy))
