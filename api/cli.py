"""The command line: what the detector offers, and the service."""

from __future__ import annotations

import gc
import os
import signal
import sys
from threading import Event

import typer
from sqlalchemy.exc import ArgumentError

from api import supervise
from api.options import ApiPort, DashboardPort, DataDir, MaxFalseFlags, first_key, load_settings, opened
from api.output import configure_log
from api.services.webhooks.vault import Locked, Vault
from api.storage import migrate
from api.storage.engine import Database, StorageError
from detector.cli import CLEAN, ERROR, app, fail

# Python's own 5 ms would let a large body that is parsed in a thread delay every verdict beside it by so much.
SWITCH_SECONDS = 0.001

__all__ = ["CLEAN", "ERROR", "app", "main"]

db_app = typer.Typer(no_args_is_help=True, help="Create, upgrade or look after the database.")
app.add_typer(db_app, name="db")


@app.command()
def serve(
    data_dir: DataDir = None,
    port: ApiPort = None,
    dashboard_port: DashboardPort = None,
    max_false_flags: MaxFalseFlags = None,
) -> None:
    """Run API, worker and dashboard on this machine, on loopback, until Ctrl-C.

    The embedded database is made and migrated. The first run prints the admin key, once. Further settings are environment
    variables: DISTILLWATCH_DATABASE_URL, DISTILLWATCH_WINDOW_DAYS (28), DISTILLWATCH_CALIBRATION, ...
    """
    settings = load_settings(data_dir, port, dashboard_port, max_false_flags)
    with opened(settings, create=True) as database:
        secret = first_key(database)
    stopping = supervise.stop_signals()
    logs = settings.data_dir / "logs"
    try:
        with supervise.Supervisor(settings, logs) as parts:
            if secret:
                typer.echo(f"\n  Admin key, shown this once:  {secret}\n")
            parts.wait_ready(stopping)
            typer.echo(f"  Dashboard  {supervise.dashboard_url(settings)}")
            typer.echo(f"  API        {supervise.api_url(settings)}   (POST /v1/events)")
            typer.echo(f"  Logs       {logs}")
            typer.echo("  Ctrl-C stops all three.\n")
            parts.watch(stopping)
            typer.echo("stopping")
    except supervise.StartFailed as error:
        raise fail(str(error)) from error


@app.command()
def api(data_dir: DataDir = None, port: ApiPort = None) -> None:
    """Run the API alone, over a migrated database (DISTILLWATCH_DATABASE_URL for PostgreSQL)."""
    import uvicorn

    from api.app import create_app

    settings = load_settings(data_dir, port)
    with opened(settings, create=True):
        pass
    configure_log("api")
    sys.setswitchinterval(SWITCH_SECONDS)
    service = create_app(settings)
    gc.collect()
    gc.freeze()  # else each full collection looks at every module again, and answers wait for 0.15 s
    uvicorn.run(
        service, host=settings.host, port=settings.port, log_config=None, access_log=False,
        timeout_graceful_shutdown=10, server_header=False,
    )  # fmt: skip


@app.command()
def worker(data_dir: DataDir = None, max_false_flags: MaxFalseFlags = None) -> None:
    """Run a worker alone. On PostgreSQL several share the work; on SQLite one works, and others wait to take its place."""
    settings = load_settings(data_dir, max_false_flags=max_false_flags)
    with opened(settings, create=True):
        pass
    configure_log("worker")
    from api.worker import run

    def obey(stopping: Event) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())

    try:
        run(settings, obey)
    except FileNotFoundError as error:
        raise fail(str(error)) from error


@app.command(hidden=True)
def job(job_id: str, data_dir: DataDir = None) -> None:
    """Do one job that the worker claimed. The worker starts this by itself."""
    configure_log("job")
    from api.services.jobs.running import run

    settings = load_settings(data_dir)
    with opened(settings) as database:
        run(settings, database, job_id)


@app.command()
def dashboard(dashboard_port: DashboardPort = None) -> None:
    """Run the dashboard alone, on loopback; DISTILLWATCH_API_URL says where the API is."""
    settings = load_settings(dashboard_port=dashboard_port)
    os.environ.setdefault("DISTILLWATCH_API_URL", supervise.api_url(settings))
    typer.echo(f"Dashboard  {supervise.dashboard_url(settings)}   (API {os.environ['DISTILLWATCH_API_URL']})")
    try:
        command = supervise.dashboard_command(settings)
    except supervise.StartFailed as error:
        raise fail(str(error)) from error
    os.execv(command[0], command)


@db_app.command("upgrade")
def db_upgrade(data_dir: DataDir = None) -> None:
    """Make the database, or bring it to this version. Safe to run again; stop the service before."""
    settings = load_settings(data_dir)
    try:
        database = Database(settings.url)
        try:
            revision = migrate.upgrade(database)
            Vault(settings).seal_stored(database)
        finally:
            database.close()
    except Locked as error:
        raise fail(str(error)) from error
    except (StorageError, ArgumentError, OSError) as error:
        raise fail(f"the database cannot be upgraded: {error}") from error
    typer.echo(f"the database is of revision {revision}")


def main() -> None:
    """Entry point."""
    from api import cli_data, demo  # noqa: F401 - adds their commands

    app()
