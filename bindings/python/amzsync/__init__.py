# SPDX-License-Identifier: Apache-2.0
"""The engine from Python, over the C interface (ctypes, Python 3.9, nothing else needed).

    with amzsync.Engine(store="sqlite:/var/lib/app/amzsync.db", client_id=..., client_secret=..., master_key=...) as engine:
        engine.connect("user-1", refresh_token)
        engine.sync("user-1")
        print(engine.recoveries("user-1")["totals"], engine.findings("user-1", "claim_ready")["findings"])

        async for event in engine.events():              # of everybody, without a thread
            ...                                          # Event(seq, type, user, data, sse)

        with engine.changes("user-1", after=engine.acknowledged("user-1", "warehouse")) as changes:
            for change in changes:
                ...                                      # {"seq", "stream", "id", "op": "put" or "delete", "row"}
            engine.acknowledge("user-1", "warehouse", changes.position)

Calls block, and give the interpreter's lock back meanwhile; in an event loop those that ask Amazon belong in `asyncio.to_thread`. Amounts
are Decimal. The shared library is the one at AMZSYNC_LIBRARY, else the one in this package, as a wheel brings it, else the system's.
`amzsync.testing` starts the simulator of Amazon.
"""
from .changes import Changes
from .engine import DEBUG, ERROR, INFO, TERMINAL, WARN, Answer, Engine, Stats, migrate, version
from .errors import (RETRY_AFTER_REAUTH, RETRY_LATER, RETRY_NEVER, AmazonError, ArgumentError, AuthorisationError, ClosedError, DeadlockError, Error, ForkedError, NeedsReauthError, NotConnectedError,
                     NotFoundError, OutOfMemoryError, StoreError, SyncError, WaitTimeout)
from .events import LIVE, Event, Events, Subscription
from .parts import HttpClient, HttpRequest, HttpResponse, TokenStore

__all__ = ["AmazonError", "Answer", "ArgumentError", "AuthorisationError", "Changes", "ClosedError", "DEBUG", "DeadlockError", "ERROR", "Engine", "Error", "Event", "Events", "ForkedError", "HttpClient", "HttpRequest", "HttpResponse", "INFO", "LIVE",
           "NeedsReauthError", "NotConnectedError", "NotFoundError", "OutOfMemoryError", "RETRY_AFTER_REAUTH", "RETRY_LATER", "RETRY_NEVER", "Stats", "StoreError", "Subscription", "SyncError",
           "TERMINAL", "TokenStore", "WARN", "WaitTimeout", "migrate", "version"]
