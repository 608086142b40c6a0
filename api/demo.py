"""The demo: the whole product on this machine, a simulated week of labelled traffic sent through its HTTP API."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import polars as pl
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from api import supervise
from api.options import ApiPort, DashboardPort, first_key, load_settings, opened
from api.settings import Settings
from api.storage import keys
from detector.cli import app, fail
from detector.event import Event

BATCH = 500
SEED = 1
PATIENCE_SECONDS = 600.0  # for the worker to finish what was sent
SHOWN = 15  # wrongly flagged accounts named in the table
MARK = ".distillwatch-demo"  # in a folder made by the demo: only such a one is emptied


@app.command()
def demo(
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Folder of the demo; emptied at each start.")] = Path(
        "demo"
    ),
    scenario: Annotated[str, typer.Option(help="Traffic: smoke (small) or demo (a week).")] = "demo",
    exit: Annotated[bool, typer.Option("--exit", help="Stop when the result is shown, instead of at Ctrl-C.")] = False,
    port: ApiPort = None,
    dashboard_port: DashboardPort = None,
) -> None:
    """Show it all: start the three parts, send a simulated week through the API, compare flags with what was planted."""
    from detector.simulate import PRESETS, simulate

    if scenario not in PRESETS:
        raise fail(f"unknown scenario {scenario!r}: choose one of {', '.join(PRESETS)}")
    _fresh(data_dir)
    settings = load_settings(data_dir, port, dashboard_port).model_copy(
        update={"database_url": "", "assess_seconds": 2.0}
    )
    console = Console()
    with opened(settings, create=True) as database:
        secret = first_key(database)
        _, second = keys.create(database, "second person", "lead", "distillwatch demo")
    assert secret is not None  # the folder is new
    stopping = supervise.stop_signals()
    start = time.monotonic()
    try:
        with supervise.Supervisor(settings, data_dir / "logs") as parts:
            with console.status("simulating a week of traffic"):
                traffic = simulate(PRESETS[scenario], SEED)
            with console.status("starting API, worker and dashboard"):
                parts.wait_ready(stopping)
            with httpx.Client(
                base_url=supervise.api_url(settings),
                timeout=60,
                trust_env=False,
                headers={"Authorization": f"Bearer {secret}"},
            ) as http:
                _send(http, traffic.events, console, stopping)
                _wait(http, parts, len(traffic.events), console, stopping)
                if stopping():
                    return
                _show(http, traffic.accounts, console, time.monotonic() - start)
            _farewell(settings, secret, second, console, exit)
            if not exit:
                parts.watch(stopping)
    except supervise.StartFailed as error:
        raise fail(str(error)) from error
    except (httpx.HTTPError, TimeoutError) as error:
        raise fail(f"{error}; see {data_dir / 'logs'}") from error


def _fresh(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise fail(f"{folder} was not made by the demo and is not empty: choose another with --data-dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _send(http: httpx.Client, events: Sequence[Event], console: Console, stopping: Callable[[], bool]) -> None:
    encoder = msgspec.json.Encoder()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("sending to POST /v1/events", total=len(events), rate="")
        start = time.monotonic()
        for at in range(0, len(events), BATCH):
            if stopping():
                return
            batch = events[at : at + BATCH]
            answer = http.post("/v1/events", content=encoder.encode(batch))
            answer.raise_for_status()
            if rejected := answer.json()["rejected"]:
                raise httpx.HTTPError(f"{len(rejected)} events were rejected, the first: {rejected[0]['error']}")
            rate = f"{(at + len(batch)) / (time.monotonic() - start):,.0f}/s"
            progress.update(task, advance=len(batch), rate=rate)


def _wait(
    http: httpx.Client, parts: supervise.Supervisor, total: int, console: Console, stopping: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[found]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("profiling and assessing", total=total, found="")
        while not stopping():
            parts.check(give_up=True)
            figures = http.get("/v1/overview").raise_for_status().json()
            found = f"{figures['flagged']} flagged, {figures['campaigns']} campaigns"
            progress.update(task, completed=total - figures["worker_lag_events"], found=found)
            if figures["events"] >= total and figures["unassessed_events"] == 0:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker has not caught up within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.5)


def _show(http: httpx.Client, labels: pl.DataFrame, console: Console, seconds: float) -> None:
    cases = _cases(http)
    verdicts = {row["account_id"]: row["verdict"] for row in cases}
    flagged = {account for account, verdict in verdicts.items() if verdict == "flag"}
    table = Table(title="What was planted, and what was flagged", title_justify="left")
    for name, side in (
        ("Planted", "left"),
        ("Kind", "left"),
        ("Accounts", "right"),
        ("Flagged", "right"),
        ("Watched", "right"),
    ):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    attackers = labels.filter(pl.col("label") == "attack")
    groups = attackers.group_by("campaign_id", "family").agg(pl.col("account_id")).sort("family", "campaign_id")
    for campaign, family, accounts in groups.iter_rows():
        hits = sum(a in flagged for a in accounts)
        watched = sum(verdicts.get(a) == "watch" for a in accounts)
        style = "green" if hits == len(accounts) else "yellow" if hits else "red"
        what = campaign if len(accounts) > 1 else "one account"
        table.add_row(what, family, str(len(accounts)), f"[{style}]{hits}[/]", str(watched))
    honest = set(labels.filter(pl.col("label") != "attack")["account_id"])
    wrong = sorted(flagged & honest)
    watched = sum(verdicts.get(a) == "watch" for a in honest)
    table.add_section()
    style = "red" if wrong else "green"
    table.add_row("honest accounts", "", str(len(honest)), f"[{style}]{len(wrong)}[/]", str(watched))
    console.print(table)
    kinds = dict(labels.select("account_id", "family").iter_rows())
    for account in wrong[:SHOWN]:
        console.print(f"  wrongly flagged: {account} ({kinds[account]})", markup=False)
    console.print(f"From start to this table: {seconds:.0f} s.")


def _cases(http: httpx.Client) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    cursor: str | None = None
    while True:
        answer = http.get("/v1/cases", params={"limit": 1000, **({"cursor": cursor} if cursor else {})})
        page = answer.raise_for_status().json()
        rows += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return rows


def _farewell(settings: Settings, secret: str, second: str, console: Console, exit: bool) -> None:
    console.print(f"\n  Dashboard  {supervise.dashboard_url(settings)}", highlight=False)
    console.print(f"  Admin key  {secret}", highlight=False, soft_wrap=True)
    console.print(f"  Lead key   {second} (a second person's, to approve with)", highlight=False, soft_wrap=True)
    console.print(f"  API        {supervise.api_url(settings)}", highlight=False)
    if not exit:
        console.print("\n  Open the dashboard, sign in with the admin key. Ctrl-C stops everything.", highlight=False)
