"""A PostgreSQL server for the tests: a cluster in a temporary folder, reached by a socket there and by nothing else."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_WITHIN_S = 60
STOP_WITHIN_S = 20
SETTINGS = ("listen_addresses=", "max_connections=60", "shared_buffers=32MB", "logging_collector=off")


def programs() -> Path | None:
    """Folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def why_absent() -> str:
    """Why no server can be started here; empty if one can."""
    if programs() is None:
        return "no PostgreSQL server is installed"
    if os.geteuid() == 0 and not unprivileged_user():
        return "PostgreSQL does not run as root, and there is no other user to run it"
    return "" if shutil.which("setpriv") else "no setpriv to run PostgreSQL with"


def unprivileged_user() -> str:
    """Somebody to run the server where the tests run as root."""
    everyone = {user.pw_name for user in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in everyone), "")


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[str]:
    """The address of a running server, ending in the place of the database's name; stopped whatever happens.

    A durable one waits for the disk at every commit.
    """
    folder = Path(tempfile.mkdtemp(prefix="trialimg-postgresql-"))
    prefix = ["setpriv", "--pdeathsig", "INT"]  # the server goes when the tests are killed
    if os.geteuid() == 0:
        user = pwd.getpwnam(unprivileged_user())
        os.chown(folder, user.pw_uid, user.pw_gid)
        prefix += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    server = None
    try:
        data = folder / "data"
        made = [*prefix, programs() / "initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, cwd=folder, check=True, capture_output=True, timeout=START_WITHIN_S)
        options = [part for setting in (*SETTINGS, f"fsync={'on' if durable else 'off'}") for part in ("-c", setting)]
        started = [*prefix, programs() / "postgres", "-D", data, "-k", folder, *options]
        with (folder.parent / f"{folder.name}.log").open("wb") as log:
            server = subprocess.Popen(started, cwd=folder, stdout=log, stderr=log)
        wait_until_ready(folder, server)
        yield f"postgresql+psycopg://owner@/{{}}?host={folder}"
    finally:
        if server is not None:
            stop(server)
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(f"{folder.name}.log").unlink(missing_ok=True)


def new_database(server: str) -> str:
    """The address of a new, empty database."""
    import psycopg

    name = f"records_{uuid.uuid4().hex}"
    with psycopg.connect(server.format("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    return server.format(name)


def wait_until_ready(folder: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_WITHIN_S
    while subprocess.run([programs() / "pg_isready", "-q", "-h", folder], check=False).returncode:
        if server.poll() is not None or time.monotonic() > until:
            log = folder.with_name(f"{folder.name}.log").read_text(errors="replace")
            raise RuntimeError(f"PostgreSQL did not start:\n{log}")
        time.sleep(0.05)


def stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(STOP_WITHIN_S)
