"""Tiles on disk come back as they went."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hbmlc_models.formats.spool import Spool


def test_tiles_come_back_in_order_and_as_often_as_asked(tmp_path: Path) -> None:
    tiles = [{"a": np.arange(k), "b": np.ones((k, 2), "f4")} for k in (3, 0, 5)]
    with Spool(tmp_path / "spool") as spool:
        for tile in tiles[:2]:
            spool.append(tile)
        assert len(list(spool)) == 2
        spool.append(tiles[2])

        for _ in range(2):
            for found, wanted in zip(spool, tiles, strict=True):
                np.testing.assert_array_equal(found["a"], wanted["a"])
                np.testing.assert_array_equal(found["b"], wanted["b"])
        assert len(spool) == 3
