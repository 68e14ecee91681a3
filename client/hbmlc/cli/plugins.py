"""Commands that other packages bring: entry points of the group ``hbmlc.commands``.

They are imported when they run, never for ``hbmlc --help``: service and science take seconds.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from hbmlc.cli.exit_codes import ExitCode

__all__ = ["PluginGroup"]

_GROUP = "hbmlc.commands"
_ABOUT = {
    "admin": ("Run a service: operators' keys, accounts, shipped models.", "service"),
    "api": ("Run the HTTP API alone, for deployments.", "service"),
    "check": ("Ask database, broker and object store whether they answer.", "service"),
    "create-key": ("Make an API key for an account, for deployments.", "service"),
    "demo": ("Simulate a sky, calibrate it here and compare with XGBoost.", "worker"),
    "inspect": ("Show what is understood of a table, and write its mapping to edit.", "worker"),
    "migrate": ("Bring the database to this release, for deployments.", "service"),
    "register-models": ("Register the packaged model versions with a service.", "worker"),
    "score": ("Measure redshifts against the truth, beside XGBoost.", "worker"),
    "serve": ("Run the whole service on this machine until Ctrl-C.", "worker"),
    "simulate": ("Simulate a galaxy survey with a spectroscopic selection.", "worker"),
    "train-base": ("Meta-train a base model on simulated worlds, from a recipe.", "worker"),
    "worker": ("Run one worker, for deployments.", "worker"),
}
"""What the known commands do and which extra they need; others speak for themselves when run."""


class PluginGroup(TyperGroup):
    """A group of commands that also has those of the installed plugins."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Own commands in their order, then plugins by name."""
        own = super().list_commands(ctx)
        return [*own, *sorted(set(_plugins()) - set(own))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Command of that name; a plugin's is a stand-in until it runs."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        plugin = _plugins().get(cmd_name)
        if plugin is not None:
            return _Plugin(plugin)
        if cmd_name in _ABOUT:
            _, extra = _ABOUT[cmd_name]
            return _Missing(cmd_name, extra)
        return None


def _plugins() -> dict[str, EntryPoint]:
    """Installed plugins by command name."""
    return {point.name: point for point in entry_points(group=_GROUP)}


class _Plugin(TyperCommand):
    """Stands for a command that is not imported yet."""

    def __init__(self, point: EntryPoint) -> None:
        about, _ = _ABOUT.get(point.name, (f"Command of {point.module}.", ""))
        super().__init__(point.name, help=about, rich_help_panel="Service and science")
        self._point = point

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Import the real command and hand over to it."""
        return self._load().make_context(info_name, args, parent=parent, **extra)

    def _load(self) -> Any:
        try:
            loaded = self._point.load()
        except ModuleNotFoundError as error:
            _, extra = _ABOUT.get(self._point.name, ("", "all"))
            raise _refusal(self._point.name, extra, missing=error.name) from error
        if not isinstance(loaded, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(name=self._point.name)(loaded)
            loaded = app
        return typer.main.get_command(loaded)


class _Missing(TyperCommand):
    """Stands for a command whose package is not installed."""

    def __init__(self, name: str, extra: str) -> None:
        super().__init__(name, hidden=True)
        self._extra = extra

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Say what to install."""
        del args, parent, extra
        raise _refusal(str(info_name), self._extra, missing=None)


def _refusal(name: str, extra: str, *, missing: str | None) -> typer.Exit:
    """Say which extra brings the command; the exit to raise."""
    reason = f" (there is no module {missing})" if missing else ""
    typer.echo(
        f"'hbmlc {name}' is not installed{reason}; run: pip install 'hbmlc[{extra}]'", err=True
    )
    return typer.Exit(ExitCode.NOT_INSTALLED)
