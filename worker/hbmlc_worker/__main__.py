"""``python -m hbmlc_worker worker --queue cpu`` and ``python -m hbmlc_worker register-models``."""

from __future__ import annotations

import typer

from hbmlc_worker.commands import register_models, worker

# Plain tracebacks: these processes write to log files.
app = typer.Typer(help="Workers of hbmlc.", pretty_exceptions_enable=False)
app.command("worker")(worker)
app.command("register-models")(register_models)

if __name__ == "__main__":
    app()
