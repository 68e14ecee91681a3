"""``python -m hbmlc``: the same as the command ``hbmlc``."""

from __future__ import annotations

from hbmlc.cli import main

if __name__ == "__main__":
    main()
