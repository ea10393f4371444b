# SPDX-License-Identifier: Apache-2.0
"""The engine."""
from __future__ import annotations

import atexit
import ctypes
import json
import math
import os
import threading
import time
from typing import Any, Callable, Mapping, NamedTuple, Optional, Union

from . import _native, errors, parts
from ._reader import Place
from .changes import Changes
from .events import LIVE, Event, Events, Subscription

DEBUG, INFO, WARN, ERROR = 0, 1, 2, 3
TERMINAL = {"sync.completed", "sync.partial", "sync.failed", "sync.cancelled"}
_CLOSED, _BUSY, _NOT_CONNECTED = 4, 6, 20   # amzsync.h
_SLICE_MS = 250   # a call that waits looks so often whether the engine is to be closed

_open_engines: "set[Engine]" = set()   # they live until they are closed, whoever forgets them
_sinks: dict[int, Any] = {}   # what C calls to log, by a number that it gives back when it is done with it


class Answer(NamedTuple):
    """What a trigger answered: the fields that a caller branches on, and the whole of it."""
    sync_id: str       #: the sync that it is about, or ""
    url: str           #: where to send the browser, or ""
    user: str
    status: str        #: of the sync: "queued", "in_progress", "detecting", "completed", "partial", "failed", "cancelled"
    triggered: bool    #: whether this call started the sync
    verified: bool     #: whether Amazon confirmed the connection
    json: Any          #: amounts are Decimal
    text: str          #: the same as the library's own JSON, for hosts that pass it on


class Stats(NamedTuple):
    """What the engine does now, and what waits in the database."""
    runs_here: int
    runs_active: int
    runs_queued: int
    connections: int
    needs_reauth: int


def version() -> str:
    """Of the shared library."""
    return _native.text("version")


def _call(name: str, *arguments: Any) -> None:
    """A function whose last parameter is the error."""
    err = _native.ErrorHandle()
    code = _native.function(name)(*arguments, ctypes.byref(err))
    if code != 0:
        raise errors.taken(code, err)


def _answer_of(handle: _native.AnswerHandle) -> Answer:
    text, number = _native.text, _native.number
    whole = text("answer_json", handle, None) or "{}"
    return Answer(text("answer_sync_id", handle), text("answer_url", handle), text("answer_user", handle), text("answer_status", handle), bool(number("answer_triggered", handle)),
                  bool(number("answer_verified", handle)), _native.decoded(whole), whole)


def migrate(source: str, target: str, progress: Optional[Callable[[str, int], Any]] = None) -> Any:
    """Copies an SQLite database ("sqlite:PATH") into a PostgreSQL one, and compares both; no engine may be open on either. `progress`: table, rows so far. What it raises
    ends up where exceptions of threads go, and does not end the copy."""
    def told(_: Any, table: bytes, rows: int) -> None:
        try:
            if progress is not None:
                progress(table.decode(), rows)
        except BaseException as error:   # nothing may pass into C
            _native.report(error, None)

    answer, call = _native.AnswerHandle(), _native.MIGRATE_FN(_native.at_home(told))
    _call("migrate", source, target, call, None, ctypes.byref(answer))
    return _answer_of(answer).json


class Engine:
    """An open engine: a database, and the workers on it. To be closed, or used in a `with`; what is still open when the interpreter ends is closed then. Every method may
    be called from any thread, blocks it, and gives the interpreter's lock back meanwhile. Those that read give the library's own JSON text with `raw`, for hosts that pass it on. Settings: docs/settings.md; those left out are the library's own."""

    def __init__(self, *, store: str, client_id: str, client_secret: str, master_key: str, application_id: str = "", redirect_uri: str = "", app_draft: Optional[bool] = None,
                 host: Optional[tuple[str, str]] = None, region: Optional[str] = None, environment: Optional[str] = None, lwa_endpoint: Optional[str] = None, spapi_endpoint: Optional[str] = None,
                 consent_endpoint: Optional[str] = None, ca_file: Optional[str] = None, proxy: Optional[str] = None, finances: Optional[str] = None, streams: Optional[str] = None,
                 history_days: Optional[int] = None, policy: Optional[Mapping[str, str]] = None, sync_every_minutes: Optional[int] = None, journal_days: Optional[int] = None,
                 archive_days: Optional[int] = None, archive_pages: Optional[bool] = None, shared_sellers: Optional[bool] = None, max_runs: Optional[int] = None,
                 synchronous_full: Optional[bool] = None, log: Optional[Callable[[int, str, Any], Any]] = None, log_level: int = INFO, http_client: Optional[parts.HttpClient] = None,
                 token_store: Optional[parts.TokenStore] = None) -> None:
        self._closing = self._forked = False
        self._handle = ctypes.c_void_p()
        self._places: set[Place] = set()   # of readers
        self._subscriptions: set[Subscription] = set()   # they live as long as they are called, whoever forgets them
        options = ctypes.c_void_p(_native.function("options_new")())
        try:
            _call("options_set_store", options, store)
            _call("options_set_app", options, client_id, client_secret, application_id, redirect_uri)
            _call("options_set_master_key", options, master_key)
            if lwa_endpoint or spapi_endpoint or consent_endpoint:
                _call("options_set_endpoints", options, lwa_endpoint or "", spapi_endpoint or "", consent_endpoint or "")
            if host is not None:
                _call("options_set_host", options, *host)
            for file, text in (policy or {}).items():
                _call("options_set_policy", options, file, text)
            for name, value in (("app_draft", app_draft), ("region", region), ("environment", environment), ("ca_file", ca_file), ("proxy", proxy), ("finances", finances), ("streams", streams),
                                ("history_days", history_days), ("sync_every_minutes", sync_every_minutes), ("journal_days", journal_days), ("archive_days", archive_days),
                                ("archive_pages", archive_pages), ("shared_sellers", shared_sellers), ("max_runs", max_runs), ("synchronous_full", synchronous_full)):
                if value is not None:
                    _call("options_set_" + name, options, int(value) if isinstance(value, bool) else value)
            if log is not None:
                _set_log(options, log, log_level)
            if http_client is not None:
                parts.lend_http_client(options, http_client)
            if token_store is not None:
                parts.lend_token_store(options, token_store)
            _open_engines.add(self)
            try:
                _call("open", options, ctypes.byref(self._handle))
            except BaseException:
                self.close()   # it is open where something else interrupted this
                raise
        finally:
            _native.function("options_free")(options)

    # ---- being open ----

    def close(self) -> None:
        """Ends no sync: it goes on in another process, or at the next open. Waits for calls under way, of which those that wait for something end with ClosedError, and for
        callbacks; closes the readers that are open. Also in a signal's handler; not from inside a callback."""
        if getattr(_native.inside, "callback", False):
            raise errors.of_code(5)
        if self._forked:
            return
        # The library waits for what is under way, and ends what waits for Amazon. It does not while a sync is waited for, which looks here now and then. This holds no lock and counts
        # nothing: a signal's handler may call it in the midst of anything, and any of it may be interrupted and done again.
        self._closing = True
        try:
            code = _BUSY
            while not self.closed and code == _BUSY:
                for place in list(self._places):
                    place.close()
                code = _native.function("close")(self._handle)
                if code == _BUSY:
                    time.sleep(_SLICE_MS / 10_000)
                elif code in (0, _CLOSED):
                    self._handle.value = None
        finally:
            self._closing = False
        if not self.closed:
            raise errors.of_code(code)
        _open_engines.discard(self)
        self._places.clear()
        self._subscriptions.clear()

    @property
    def closed(self) -> bool:
        return self._handle.value is None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def _opened(self) -> ctypes.c_void_p:
        if self._forked:
            raise errors.of_code(13)
        handle = self._handle.value
        if handle is None or self._closing:
            raise errors.of_code(_CLOSED)
        return ctypes.c_void_p(handle)   # of the call's own: a signal's handler that closes the engine now empties the other, and the library tells this one by its number

    def _call(self, name: str, *arguments: Any) -> None:
        _call(name, self._opened(), *arguments)

    def _call_aside(self, name: str, *arguments: Any) -> None:
        """A function of something that was opened of the engine."""
        self._opened()
        _call(name, *arguments)

    def _native_call(self, name: str, *arguments: Any) -> None:
        """One that gives a code and no error."""
        code = _native.function(name)(self._opened(), *arguments)
        if code != 0:
            raise errors.of_code(code)

    def _answer(self, name: str, *arguments: Any) -> Answer:
        answer = _native.AnswerHandle()
        self._call(name, *arguments, ctypes.byref(answer))
        return _answer_of(answer)

    def _read(self, raw: bool, name: str, *arguments: Any) -> Any:
        answer = self._answer(name, *arguments)
        return answer.text if raw else answer.json

    # ---- connecting a seller ----

    def consent_start(self, user: str, frontend_url: str = "", marketplace: Optional[str] = None) -> Answer:
        """Begins a consent trip: `url` is where the browser goes."""
        return self._answer("consent_start", user, frontend_url, marketplace)

    def consent_login(self, user: str, frontend_url: str, amazon_callback_uri: str, amazon_state: str) -> Answer:
        """Goes on with a trip that began at Amazon's appstore."""
        return self._answer("consent_login", user, frontend_url, amazon_callback_uri, amazon_state)

    def consent_frontend(self, state: str) -> str:
        """The front end that a trip began with, for the redirect of a callback that failed."""
        return self._answer("consent_frontend", state).url

    def on_oauth_callback(self, *, state: str, code: str = "", seller_id: str = "", error: str = "", user: Optional[str] = None) -> Answer:
        """First trigger: what came back from Amazon. Stores the connection and starts a sync; `url` is the front end."""
        texts = [_native.text_of(t) for t in (user, state, code, seller_id, error)]
        params = _native.OAuthParams(ctypes.sizeof(_native.OAuthParams), *texts)
        return self._answer("on_oauth_callback", ctypes.byref(params))

    def connect(self, user: str, refresh_token: str, seller_id: str = "") -> str:
        """Stores a refresh token that came another way, once Amazon has accepted it, and triggers the first sync, whose id it gives."""
        return self._answer("connect", user, refresh_token, seller_id).sync_id

    def use_existing_connection(self, user: str) -> Answer:
        """Second trigger: the connection that is there is verified and synced."""
        return self._answer("use_existing_connection", user)

    def connection(self, user: str, *, raw: bool = False) -> Any:
        """State of the connection, its expiry dates and marketplaces; also of a user who never connected."""
        return self._read(raw, "connection", user)

    def disconnect(self, user: str, by: str = "") -> None:
        """Forgets the tokens and cancels the sync under way; the data stays. `by` says who asked, for the record."""
        self._call("disconnect", user, by)

    def erase(self, user: str, by: str = "") -> Any:
        """Deletes everything that is stored of a user; the receipt."""
        return self._answer("erase", user, by).json

    # ---- syncs ----

    def recoveries(self, user: str, by_month: bool = False, *, raw: bool = False) -> Any:
        """Third trigger: what Amazon has paid back, from the database alone; where there is nothing, and the rules allow it, a sync is started."""
        return self._read(raw, "recoveries", user, int(by_month))

    def sync_start(self, user: str, streams: Optional[str] = None) -> Answer:
        """Starts a sync, or attaches to the one that is active; where that does not read what was asked for, the answer's `json["runsAgain"]` says so, and one that does follows it."""
        return self._answer("sync_start", user, streams)

    def replay(self, user: str, streams: Optional[str] = None) -> Answer:
        """Rebuilds rows from what is archived, without one call to Amazon."""
        return self._answer("replay", user, streams)

    def sync_cancel(self, user: str, sync_id: str, by: str = "") -> None:
        self._call("sync_cancel", user, sync_id, by)

    def sync_status(self, user: str, sync_id: str, *, raw: bool = False) -> Any:
        return self._read(raw, "sync_status", user, sync_id)

    def sync_wait(self, user: str, sync_id: str, timeout: Optional[float] = None) -> Any:
        """Waits until a sync is over, wherever it runs; its status then. Raises WaitTimeout when it goes on after so many seconds."""
        until = None if timeout is None or timeout == math.inf else time.monotonic() + timeout
        while True:
            left = _SLICE_MS if until is None else max(0, min(_SLICE_MS, int((until - time.monotonic()) * 1000)))
            try:
                return self._answer("sync_wait", user, sync_id, left).json
            except errors.WaitTimeout:
                if until is not None and time.monotonic() >= until:
                    raise

    def sync(self, user: str, streams: Optional[str] = None, timeout: Optional[float] = None) -> Any:
        """Syncs, and waits for the end; the status then. Where a sync is active, without `streams` for that one, or the one that follows it where that does not read what was asked for;
        with `streams` for one of these alone, as how another ends depends on others."""
        until = math.inf if timeout is None else time.monotonic() + timeout
        names = {name.strip() for name in (streams or "").split(",")} - {""}

        def wait_for(sync_id: str) -> Any:
            return self.sync_wait(user, sync_id, None if timeout is None else max(0.0, until - time.monotonic()))

        while True:
            begun = self.sync_start(user, streams)
            ended = wait_for(begun.sync_id)
            if begun.json["runsAgain"]:
                follows = self._sync_after(user, begun.sync_id)
                if not follows:
                    raise errors.of_code(_NOT_CONNECTED)
                ended = wait_for(follows)
                # Where the account was disconnected and connected again in between, what follows is the new connection's.
                if ended["status"] in ("failed", "cancelled") or names <= {stream["name"] for stream in ended["streams"]}:
                    return ended
                continue
            if begun.triggered or not streams:
                return ended

    def _sync_after(self, user: str, sync_id: str) -> Optional[str]:
        """The sync that began with the end of this one; None: the account was disconnected meanwhile."""
        after, offset, page = None, 0, 100
        while runs := self.history(user, page, offset)["syncs"]:   # the newest first
            for run in runs:
                if run["syncId"] == sync_id:
                    return after
                after = run["syncId"]
            offset += page
        return None

    async def finished(self, user: str, sync_id: str) -> Any:
        """The same as sync_wait for an event loop: by the descriptor of a reader, without a thread."""
        with self.events(user) as events:
            status = self.sync_status(user, sync_id)   # after the reader was opened, so that its end is seen by one of them
            if status["status"] not in ("queued", "in_progress", "detecting"):
                return status
            async for event in events:
                if event.type in TERMINAL and event.data["syncId"] == sync_id:
                    return self.sync_status(user, sync_id)
        raise errors.of_code(4)

    def status(self, user: str, *, raw: bool = False) -> Any:
        return self._read(raw, "status", user)

    def history(self, user: str, limit: int = 10, offset: int = 0, *, raw: bool = False) -> Any:
        return self._read(raw, "history", user, limit, offset)

    def pause(self, user: Optional[str] = None, by: str = "") -> None:
        """Stops the syncs of a user, or of everybody, until they are resumed."""
        self._call("pause", user, by)

    def resume(self, user: Optional[str] = None, by: str = "") -> None:
        self._call("resume", user, by)

    def notify(self, message: Union[str, bytes], user: Optional[str] = None) -> Any:
        """Takes what a queue delivered of Amazon's notifications."""
        data = message.encode() if isinstance(message, str) else message
        return self._answer("notify", user, data, len(data)).json

    # ---- what Amazon owes ----

    def findings(self, user: str, status: str = "", type: str = "", limit: int = 100, offset: int = 0, *, raw: bool = False) -> Any:
        """What Amazon owes, what expires first at the head."""
        return self._read(raw, "findings", user, status, type, limit, offset)

    def finding_statistics(self, user: str, *, raw: bool = False) -> Any:
        """Counts and sums by rule, and the three totals that are never added up."""
        return self._read(raw, "finding_statistics", user)

    def explain(self, user: str, what: str, *, raw: bool = False) -> Any:
        """Why a finding is one; of an SKU, FNSKU, order, shipment or removal order also why the rest is not claimed."""
        return self._read(raw, "explain", user, what)

    def set_finding_state(self, user: str, finding_id: str, state: str, case_id: Optional[str] = None) -> Any:
        """Keeps what became of a claim: open, filed, won or lost; the finding as it then is. Without a case id the one that is there stays."""
        return self._answer("finding_set_state", user, finding_id, state, case_id).json

    def supply(self, user: str, kind: str, rows: list[Any]) -> None:
        """What only the host knows and detection needs, such as costs; the next detection takes it into account."""
        self._call("supply", user, kind, json.dumps(rows, default=str))

    # ---- events and changes ----

    def events(self, user: Optional[str] = None, after: int = LIVE) -> Events:
        """A reader of the events after a number (LIVE: from now on) of one user, or from now on of all."""
        return Events(self, user, after)

    def subscribe(self, on_event: Callable[[Event], Any], user: Optional[str] = None, after: int = LIVE, on_error: Optional[Callable[[BaseException], Any]] = None) -> Subscription:
        """Has `on_event` called with every event; it must not block for long, since all callbacks share a thread. It goes on until it or the engine is closed."""
        return Subscription(self, user, after, on_event, on_error)

    def changes(self, user: str, after: int = 0, streams: Optional[str] = None) -> Changes:
        """What changed of a user's rows after a number; with 0 first all rows that are there."""
        return Changes(self, user, streams, after)

    def acknowledge(self, user: str, reader: str, position: int) -> None:
        """Keeps, under a reader's name, how far it has come; never goes back."""
        self._call("changes_acknowledge", user, reader, position)

    def acknowledged(self, user: str, reader: str) -> int:
        """That number; 0 for a new reader."""
        position = ctypes.c_int64()
        self._call("changes_acknowledged", user, reader, ctypes.byref(position))
        return position.value

    # ---- the engine itself ----

    def check(self) -> None:
        """Raises what is wrong with the settings: the master key, the application, the endpoints."""
        self._call("check")

    def doctor(self) -> Any:
        """Looks at what usually goes wrong, one by one, and says what to do about it."""
        return self._answer("doctor").json

    def set_client_secret(self, client_secret: str) -> None:
        """The application's new client secret, used from now on."""
        self._call("set_client_secret", client_secret)

    def rotate_key(self) -> Any:
        """Seals every stored secret with the first of the master keys: {"key", "secrets", "resealed", "restored", "unreadable"}."""
        return self._answer("rotate_key").json

    def measures(self) -> Any:
        """What an operator watches: {"room", "paused", "runs", "connections", "calls", "rows", "findings", "writes"}."""
        return self._answer("measures").json

    def stats(self) -> Stats:
        stats = _native.Stats(ctypes.sizeof(_native.Stats))
        self._call("stats_get", ctypes.byref(stats))
        return Stats(*(getattr(stats, name) for name in Stats._fields))


def _set_log(options: ctypes.c_void_p, log: Callable[[int, str, Any], Any], level: int) -> None:
    def said(_: Any, least: int, message: bytes, fields: bytes) -> None:
        try:
            log(least, message.decode(errors="replace"), _native.decoded(fields))
        except BaseException as error:   # nothing may pass into C
            _native.report(error, None)

    # Kept until C says that it is done with it.
    calls = (_native.LOG_FN(_native.at_home(said)), _native.FREE_FN(lambda number: _sinks.pop(number, None)))
    _sinks[id(calls)] = calls
    try:
        _call("options_set_log", options, level, calls[0], id(calls), calls[1])
    except errors.Error:
        _sinks.pop(id(calls), None)
        raise


def _close_all() -> None:
    """Before the interpreter is taken apart, which the library's threads would still call into."""
    for engine in list(_open_engines):
        try:
            engine.close()
        except errors.Error:
            pass   # as from inside a callback that ended the program


def _happened() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def _in_child() -> None:
    """The engine's threads are in the parent."""
    for engine in list(_open_engines):
        engine._forked = True
        for place in list(engine._places):
            place.lock = threading.RLock()   # somebody in the parent may hold it
        for subscription in engine._subscriptions:
            subscription._closed = True
            subscription._ended = _happened()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_in_child)
