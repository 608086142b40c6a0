"""A PostgreSQL server of one's own, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

START_SECONDS = 60


def binaries() -> Path | None:
    """Folder of initdb and postgres, or None where PostgreSQL is not installed."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*packaged, *([Path(os.path.realpath(on_path)).parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _user() -> pwd.struct_passwd | None:
    """Who runs the server: root is refused by PostgreSQL, so postgres or nobody stands in."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses root, and there is neither a user postgres nor nobody")


@contextmanager
def server(*, durable: bool = True) -> Iterator[str]:
    """A running server; yields the start of a URL, to which a database's name is to be put in the place of {}.

    Not ``durable``, it does not wait for the disk: enough where nobody cuts the power, and no time is measured.
    """
    found = binaries()
    assert found is not None
    user = _user()
    folder = Path(mkdtemp(prefix="dw-pg-", dir="/tmp"))  # short: a socket's path has at most 107 bytes
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(command: Sequence[str | Path]) -> None:
        done = subprocess.run(
            [str(c) for c in command], cwd=folder, capture_output=True, text=True, check=False, **identity
        )
        assert done.returncode == 0, done.stderr

    data = folder / "data"
    process = None
    try:
        run([found / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        with (folder / "log").open("wb") as log:
            settings = ["listen_addresses=", "max_connections=50", *([] if durable else ["fsync=off"])]
            options = [word for setting in settings for word in ("-c", setting)]
            command = [str(found / "postgres"), "-D", str(data), "-k", str(folder), *options]
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **identity)
        _until_answers(folder)
        yield f"postgresql+psycopg://postgres@/{{}}?host={folder}"
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # at once: its data is thrown away
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _until_answers(folder: Path) -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
