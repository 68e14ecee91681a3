"""The command ``hbmlc train-base``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

__all__ = ["train_base"]


def train_base(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or a TOML file.")],
    *,
    output: Annotated[Path, typer.Option(help="Directory for the weights and their card.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="File to keep the training in, and to go on from.")
    ] = None,
) -> None:
    """Meta-train a base model on simulated worlds, as a recipe says.

    A run that was stopped goes on from its checkpoint, and ends with the same bytes.

    Example: hbmlc train-base lsst-ugrizy --output versions --checkpoint run.safetensors
    """
    # The science is heavy to import: only when the command runs, so that --help stays fast.
    from hbmlc_models.base_models import write_version
    from hbmlc_models.metalearning.checkpoint import CheckpointError
    from hbmlc_models.simulate.filters import UnknownFilterSetError
    from hbmlc_models.training import RecipeError, read_recipe, train_version

    try:
        chosen = read_recipe(recipe)
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("Starting", total=1.0)
            version = train_version(
                chosen,
                checkpoint=checkpoint,
                on_progress=lambda stage, done: progress.update(
                    task, description=stage.capitalize(), completed=done
                ),
            )
    except CheckpointError as error:
        raise typer.BadParameter(str(error), param_hint="--checkpoint") from error
    except (RecipeError, UnknownFilterSetError) as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="RECIPE") from error
    output.mkdir(parents=True, exist_ok=True)
    weights = output / f"{version.name}-{version.version}.safetensors"
    weights.write_bytes(write_version(version))
    card = {"name": version.name, "version": version.version, "digest": version.digest}
    card |= {"bands": list(version.bands), **version.card}
    weights.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    typer.echo(weights)
