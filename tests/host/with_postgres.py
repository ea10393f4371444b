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


class Program:
    """A server in a folder and on a port of its own."""

    options = ()

    def __init__(self, addresses="127.0.0.1"):
        self.addresses = addresses
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="amzsync-postgres-"))
        self.user = owner()
        open_root(self.user)
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.folder.chmod(0o711)
        with contextlib.closing(socket.socket()) as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"postgresql://amzsync@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        made = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        done = subprocess.run([str(binaries() / program), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False, **made)
        if done.returncode != 0:
            sys.exit(f"{program} failed: {done.stdout}")

    def start(self):
        options = " ".join(f"-c {o}" for o in [*OPTIONS, *self.options])
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", f"-p {self.port} -k {self.folder} -c listen_addresses={self.addresses} {options}", "start")

    def stop(self, mode="immediate"):
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def _signal(self, number):
        """To all processes of it."""
        first = int((self.folder / "data/postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        os.kill(first, number)   # before it can start another one
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ProcessLookupError):
                if stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1] == str(first):
                    os.kill(int(stat.parent.name), number)

    @contextlib.contextmanager
    def frozen(self):
        """It is there, takes what it is sent, and does not answer."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server(Program):
    """With trust for local connections, and for those to `also`, an address of this machine."""

    def __init__(self, also=None):
        super().__init__("127.0.0.1" + (f",{also}" if also else ""))
        self.run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "amzsync", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        if also:
            with (self.folder / "data/pg_hba.conf").open("a", encoding="utf-8") as rules:
                rules.write(f"host all all {also}/24 trust\n")
        self.start()


class Replica(Program):
    """A copy of a server that follows it, and notes what it is asked."""

    options = ("log_statement=all", "hot_standby=on")

    def __init__(self, server):
        super().__init__()
        self.run("pg_basebackup", "-D", str(self.folder / "data"), "-h", "127.0.0.1", "-p", str(server.port), "-U", "amzsync", "-R", "-X", "stream", "-c", "fast", "-N")
        self.start()

    def asked(self, words):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace").count(words)


class Pooler:
    """PgBouncer before a server, which gives out a few of its connections by the transaction."""

    def __init__(self, server, database):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="amzsync-pgbouncer-"))
        user = owner()
        with contextlib.closing(socket.socket()) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        (self.folder / "users").write_text('"amzsync" ""\n', encoding="utf-8")
        (self.folder / "settings").write_text(
            f"[databases]\n{database} = host=127.0.0.1 port={server.port} dbname={database}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\nauth_type=trust\n"
            f"auth_file={self.folder}/users\npool_mode=transaction\ndefault_pool_size=4\nmax_client_conn=100\nlogfile={self.folder}/log\n", encoding="utf-8")
        for path in (self.folder, *self.folder.iterdir()):
            if user:
                os.chown(path, user.pw_uid, user.pw_gid)
        made = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        if not pathlib.Path(program).exists():
            sys.exit("PgBouncer is not installed; scripts/setup installs it.")
        self.process = subprocess.Popen([program, str(self.folder / "settings")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **made)
        self.url = f"postgresql://amzsync@127.0.0.1:{port}/{database}?pgbouncer=true"
        self.wait(port)

    def wait(self, port):
        for _ in range(600):
            with contextlib.closing(socket.socket()) as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            try:
                self.process.wait(0.05)   # until it has ended, or some time has passed
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()
        self.process.wait(30)
        sys.exit("PgBouncer does not start: " + (self.folder / "log").read_text(encoding="utf-8") if (self.folder / "log").exists() else "PgBouncer does not start")

    @contextlib.contextmanager
    def frozen(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.closing(Server()) as server:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "AMZSYNC_TEST_POSTGRES": server.url}, check=False).returncode)


if __name__ == "__main__":
    main()
