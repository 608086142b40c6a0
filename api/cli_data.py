"""Commands on what is stored: keys, export, the audit trail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import msgspec
import typer

from api.options import DataDir, load_settings, opened
from api.schemas.base import Role
from api.storage import audit, campaigns, cases, events, keys
from api.storage.engine import Database
from detector.cli import FINDINGS, app, fail
from detector.event import MAX_ID_CHARS

keys_app = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")
app.add_typer(keys_app, name="keys")

ACTOR = "command line"
CHUNK = 1000


@keys_app.command("create")
def keys_create(
    name: Annotated[
        str, typer.Argument(help="Whose key it is, e.g. the gateway's or the analyst's name.", show_default=False)
    ],
    role: Annotated[
        Role,
        typer.Option(
            help="gateway sends logs and asks for verdicts; analyst and lead review and decide; auditor reads; admin does all."
        ),
    ],
    account: Annotated[
        str | None,
        typer.Option(
            help="Account that owns what is sent with this key and names nobody, e.g. of a batch job; else the key itself.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it, once. Only its hash is stored.

    Example: distillwatch keys create gateway-eu --role gateway
    """
    if not name.strip() or len(name) > 200:
        raise fail("the name must have 1 to 200 characters")
    if account is not None and not 0 < len(account) <= MAX_ID_CHARS:
        raise fail(f"the account must have 1 to {MAX_ID_CHARS} characters")
    with opened(load_settings(data_dir)) as database:
        key, secret = keys.create(database, name.strip(), role, ACTOR, account)
    typer.echo(f"key {key.key_id} of role {role}, shown this once:", err=True)
    typer.echo(secret)


@keys_app.command("list")
def keys_list(data_dir: DataDir = None) -> None:
    """List all keys, revoked ones included."""
    with opened(load_settings(data_dir)) as database:
        for key in keys.every(database):
            state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "valid"
            owner = f"  (account {key.account_id})" if key.account_id else ""
            typer.echo(f"{key.key_id}  {key.role:<8}  {key.created_at:%Y-%m-%d %H:%M}  {state:<24}  {key.name}{owner}")


@keys_app.command("revoke")
def keys_revoke(
    key_id: Annotated[str, typer.Argument(help="First column of `distillwatch keys list`.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Revoke a key. Running API processes notice within seconds."""
    with opened(load_settings(data_dir)) as database:
        if keys.revoke(database, key_id, ACTOR) is None:
            raise fail(f"no key {key_id!r}: see `distillwatch keys list`")
    typer.echo(f"key {key_id} is revoked")


@app.command()
def export(
    what: Annotated[
        Literal["findings", "events"], typer.Argument(help="findings (accounts and campaigns with evidence) or events.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; standard output without it.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write findings or events as JSON lines; events can be audited again.

    Example: distillwatch export events --out events.jsonl && distillwatch audit events.jsonl --out audit/
    """
    with opened(load_settings(data_dir)) as database:
        rows = _findings(database) if what == "findings" else _events(database)
        audit.note(
            database, ACTOR, "prompts.read" if what == "events" else "findings.read", what, {"export": str(out or "-")}
        )
        try:
            if out is None:
                count = _write(rows, sys.stdout.buffer)
            else:
                with out.open("wb") as file:
                    count = _write(rows, file)
        except BrokenPipeError:
            sys.stderr.close()  # the reader has seen enough; no complaint at exit
            raise typer.Exit(0) from None
        except OSError as error:
            raise fail(f"cannot write {out}: {error}") from error
    typer.echo(f"{count:,} {what} written", err=True)


@app.command("verify-audit")
def verify_audit(
    head: Annotated[
        str | None, typer.Option(help="Hash that an earlier check printed; shows a cut-off end.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check that no entry of the audit trail was changed, removed or put in between. Exit code 1 if one was.

    Keep the printed hash elsewhere and give it to the next check.
    """
    with opened(load_settings(data_dir)) as database:
        outcome = audit.verify(database, head)
    if outcome.problem:
        typer.secho(f"{outcome.problem}; {outcome.entries:,} entries before are good", fg=typer.colors.RED, err=True)
        raise typer.Exit(FINDINGS)
    typer.echo(f"{outcome.entries:,} entries, none changed; head {outcome.head}")


def _findings(database: Database) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for state, account in cases.findings(database):
        yield encoder.encode({"kind": "account", "state": state, **msgspec.structs.asdict(account)})
    for state, campaign in campaigns.findings(database):
        yield encoder.encode({"kind": "campaign", "state": state, **msgspec.structs.asdict(campaign)})


def _events(database: Database) -> Iterator[bytes]:
    position = 0
    while True:
        with database.read() as connection:
            rows = events.payloads(connection, position, CHUNK)
        yield from (payload for _, payload in rows)
        if len(rows) < CHUNK:
            return
        position = rows[-1][0]


def _write(rows: Iterator[bytes], file: BinaryIO) -> int:
    count = 0
    for row in rows:
        file.write(row + b"\n")
        count += 1
    file.flush()
    return count
