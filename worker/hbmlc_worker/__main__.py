"""``python -m hbmlc_worker worker --queue cpu`` and ``python -m hbmlc_worker register-models``."""

from __future__ import annotations

import typer

from hbmlc_worker.commands import register_models, worker

app = typer.Typer(help="Workers of hbmlc.", no_args_is_help=True)
app.command("worker")(worker)
app.command("register-models")(register_models)

if __name__ == "__main__":
    app()
