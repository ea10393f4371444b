# SPDX-License-Identifier: Apache-2.0
"""Runs a command with a PostgreSQL server of its own, which AMZSYNC_TEST_POSTGRES names and which is gone afterwards: with_postgres.py COMMAND…

The server refuses to run as root, so as root it is run as the system's user postgres.
"""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

OPTIONS = ["fsync=off", "max_connections=200", "log_min_messages=error", "max_pred_locks_per_transaction=256"]   # the data are thrown away in any case


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    if not found:
        sys.exit("PostgreSQL is not installed; scripts/setup installs it.")
    return found[-1]


def owner():
    """The user that runs the server; None: this one."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else None


def open_root(user):
    """A root folder that is closed to all but root, as of a bare chroot, lets no other user run anything. It is opened to be searched, as Debian has it."""
    mode = pathlib.Path("/").stat().st_mode
    if user and not mode & 0o001:
        print("with_postgres: the root folder is closed to the user postgres; it is opened to be searched", file=sys.stderr)
        pathlib.Path("/").chmod((mode & 0o7777) | 0o011)


class Server:
    """A server on a port of its own, with trust for local connections."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="amzsync-postgres-"))
        self.user = owner()
        open_root(self.user)
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.folder.chmod(0o711)
        with contextlib.closing(socket.socket()) as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.call("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "amzsync", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.start()
        self.url = f"postgresql://amzsync@127.0.0.1:{self.port}/postgres"

    def call(self, program, *arguments):
        made = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        done = subprocess.run([str(binaries() / program), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False, **made)
        if done.returncode != 0:
            sys.exit(f"{program} failed: {done.stdout}")

    def start(self):
        options = " ".join(f"-c {o}" for o in OPTIONS)
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 {options}", "start")

    def stop(self, mode="immediate"):
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.closing(Server()) as server:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "AMZSYNC_TEST_POSTGRES": server.url}, check=False).returncode)


if __name__ == "__main__":
    main()
