# SPDX-License-Identifier: Apache-2.0
"""The engine from Python, over the C interface (ctypes, Python 3.9, nothing else needed).

    with amzsync.Engine(store="sqlite:/var/lib/app/amzsync.db", client_id=..., client_secret=..., master_key=...) as engine:
        engine.connect("user-1", refresh_token)
        engine.sync("user-1")
        with engine.changes("user-1", after=engine.acknowledged("user-1", "warehouse")) as changes:
            for change in changes:
                ...                                  # {"seq", "stream", "id", "op": "put" or "delete", "row"}
            engine.acknowledge("user-1", "warehouse", changes.position)

Calls block, and give the interpreter's lock back meanwhile. The shared library is the one at AMZSYNC_LIBRARY, else the one in this
package, as a wheel brings it, else the system's.
"""
from __future__ import annotations

import ctypes
import json
import os
import pathlib
from typing import Any, Iterator, Optional

__all__ = ["Changes", "Engine", "Error"]

_Pointer, _Text, _Int = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32


class Error(Exception):
    """What a call failed with: `code` as in amzsync.h, a sentence, and the number that says whether a retry helps."""

    def __init__(self, code: int, message: str, retry: int) -> None:
        super().__init__(message)
        self.code = code
        self.retry = retry


def _library_file() -> str:
    own = pathlib.Path(__file__).with_name("libamzsync.so.0")   # as a wheel brings it
    return os.environ.get("AMZSYNC_LIBRARY") or (str(own) if own.exists() else own.name)


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(_library_file())
    functions = {
        "amzsync_error_message": (_Text, [_Pointer]), "amzsync_error_retry": (_Int, [_Pointer]), "amzsync_error_free": (None, [_Pointer]),
        "amzsync_options_new": (_Pointer, []), "amzsync_options_free": (None, [_Pointer]),
        "amzsync_options_set_store": (_Int, [_Pointer, _Text, _Pointer]), "amzsync_options_set_app": (_Int, [_Pointer, _Text, _Text, _Text, _Text, _Pointer]),
        "amzsync_options_set_endpoints": (_Int, [_Pointer, _Text, _Text, _Text, _Pointer]), "amzsync_options_set_master_key": (_Int, [_Pointer, _Text, _Pointer]),
        "amzsync_options_set_region": (_Int, [_Pointer, _Text, _Pointer]), "amzsync_options_set_streams": (_Int, [_Pointer, _Text, _Pointer]),
        "amzsync_options_set_history_days": (_Int, [_Pointer, _Int, _Pointer]), "amzsync_options_set_ca_file": (_Int, [_Pointer, _Text, _Pointer]), "amzsync_options_set_proxy": (_Int, [_Pointer, _Text, _Pointer]), "amzsync_options_set_max_runs": (_Int, [_Pointer, _Int, _Pointer]),
        "amzsync_open": (_Int, [_Pointer, _Pointer, _Pointer]), "amzsync_close": (_Int, [_Pointer]),
        "amzsync_answer_json": (_Text, [_Pointer, _Pointer]), "amzsync_answer_sync_id": (_Text, [_Pointer]), "amzsync_answer_free": (None, [_Pointer]),
        "amzsync_connect": (_Int, [_Pointer, _Text, _Text, _Text, _Pointer, _Pointer]), "amzsync_sync_start": (_Int, [_Pointer, _Text, _Text, _Pointer, _Pointer]),
        "amzsync_sync_wait": (_Int, [_Pointer, _Text, _Text, ctypes.c_int64, _Pointer, _Pointer]),
        "amzsync_findings": (_Int, [_Pointer, _Text, _Text, _Text, _Int, ctypes.c_int64, _Pointer, _Pointer]), "amzsync_finding_statistics": (_Int, [_Pointer, _Text, _Pointer, _Pointer]),
        "amzsync_explain": (_Int, [_Pointer, _Text, _Text, _Pointer, _Pointer]), "amzsync_finding_set_state": (_Int, [_Pointer, _Text, _Text, _Text, _Text, _Pointer, _Pointer]),
        "amzsync_rotate_key": (_Int, [_Pointer, _Pointer, _Pointer]), "amzsync_erase": (_Int, [_Pointer, _Text, _Text, _Pointer, _Pointer]),
        "amzsync_supply": (_Int, [_Pointer, _Text, _Text, _Text, _Pointer]),
        "amzsync_changes_open": (_Int, [_Pointer, _Text, _Text, ctypes.c_int64, _Pointer, _Pointer]), "amzsync_changes_next": (_Int, [_Pointer, _Pointer, _Pointer, _Pointer]),
        "amzsync_changes_position": (ctypes.c_int64, [_Pointer]), "amzsync_changes_gap": (_Int, [_Pointer]), "amzsync_changes_close": (None, [_Pointer]),
        "amzsync_changes_acknowledge": (_Int, [_Pointer, _Text, _Text, ctypes.c_int64, _Pointer]), "amzsync_changes_acknowledged": (_Int, [_Pointer, _Text, _Text, _Pointer, _Pointer]),
    }
    for name, (result, arguments) in functions.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library: Optional[ctypes.CDLL] = None


def _call(name: str, *arguments: Any) -> None:
    """A function whose last parameter is the error."""
    global _library
    _library = _library or _load()
    err = ctypes.c_void_p()
    code = getattr(_library, name)(*(a.encode() if isinstance(a, str) else a for a in arguments), ctypes.byref(err))
    if code == 0:
        return
    message, retry = f"{name} failed with {code}", 0
    if err.value:
        message, retry = _library.amzsync_error_message(err).decode(), _library.amzsync_error_retry(err)
        _library.amzsync_error_free(err)
    raise Error(code, message, retry)


def _answer(name: str, *arguments: Any) -> tuple[str, Any]:
    """The sync that an answer is about, and its JSON."""
    answer = ctypes.c_void_p()
    _call(name, *arguments, ctypes.byref(answer))
    try:
        return _library.amzsync_answer_sync_id(answer).decode(), json.loads(_library.amzsync_answer_json(answer, None), parse_float=str)
    finally:
        _library.amzsync_answer_free(answer)


class Engine:
    """An open engine. To be closed, or used in a `with`. Every method may be called from any thread."""

    def __init__(self, *, store: str, client_id: str, client_secret: str, master_key: str, application_id: str = "", redirect_uri: str = "", lwa_endpoint: Optional[str] = None,
                 spapi_endpoint: Optional[str] = None, region: Optional[str] = None, streams: Optional[str] = None, history_days: Optional[int] = None, max_runs: Optional[int] = None,
                 ca_file: Optional[str] = None, proxy: Optional[str] = None) -> None:
        global _library
        _library = _library or _load()
        self._handle: Optional[ctypes.c_void_p] = None
        options = ctypes.c_void_p(_library.amzsync_options_new())
        try:
            _call("amzsync_options_set_store", options, store)
            _call("amzsync_options_set_app", options, client_id, client_secret, application_id, redirect_uri)
            _call("amzsync_options_set_master_key", options, master_key)
            if lwa_endpoint or spapi_endpoint:
                _call("amzsync_options_set_endpoints", options, lwa_endpoint or "", spapi_endpoint or "", "")
            for name, value in (("region", region), ("streams", streams), ("history_days", history_days), ("max_runs", max_runs), ("ca_file", ca_file), ("proxy", proxy)):
                if value is not None:
                    _call("amzsync_options_set_" + name, options, value)
            handle = ctypes.c_void_p()
            _call("amzsync_open", options, ctypes.byref(handle))
            self._handle = handle
        finally:
            _library.amzsync_options_free(options)

    def close(self) -> None:
        """Ends no sync: it goes on in another process, or at the next open. What was opened of this engine is to be closed before."""
        if self._handle is not None:
            _library.amzsync_close(self._handle)
            self._handle = None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def connect(self, user: str, refresh_token: str, seller_id: str = "") -> str:
        """Stores the connection and triggers its first sync, whose id it gives."""
        return _answer("amzsync_connect", self._open(), user, refresh_token, seller_id)[0]

    def sync(self, user: str, streams: Optional[str] = None, timeout_seconds: float = -1) -> Any:
        """Syncs, or waits for the sync that is active; its status at the end. A timeout below 0: none."""
        sync_id, _ = _answer("amzsync_sync_start", self._open(), user, streams)
        milliseconds = -1 if timeout_seconds < 0 else int(timeout_seconds * 1000)
        return _answer("amzsync_sync_wait", self._open(), user, sync_id, milliseconds)[1]

    def findings(self, user: str, status: str = "", type: str = "", limit: int = 100, offset: int = 0) -> Any:
        """What Amazon owes, what expires first at the head; amounts are exact text."""
        return _answer("amzsync_findings", self._open(), user, status, type, limit, offset)[1]

    def finding_statistics(self, user: str) -> Any:
        """Counts and sums by rule, and the three totals that are never added up."""
        return _answer("amzsync_finding_statistics", self._open(), user)[1]

    def explain(self, user: str, what: str) -> Any:
        """Why a finding is one; of an SKU, FNSKU, order, shipment or removal order also why the rest is not claimed."""
        return _answer("amzsync_explain", self._open(), user, what)[1]

    def set_finding_state(self, user: str, finding_id: str, state: str, case_id: str = "") -> Any:
        """Keeps what became of a claim: open, filed, won or lost; the finding as it then is."""
        return _answer("amzsync_finding_set_state", self._open(), user, finding_id, state, case_id)[1]

    def supply(self, user: str, kind: str, rows: list) -> None:
        """What only the host knows and detection needs, such as costs; the next detection takes it into account."""
        _call("amzsync_supply", self._open(), user, kind, json.dumps(rows))

    def erase(self, user: str, by: str = "") -> Any:
        """Deletes everything that is stored of a user; the receipt. `by` says who asked, for the record."""
        return _answer("amzsync_erase", self._open(), user, by)[1]

    def rotate_key(self) -> Any:
        """Seals every stored secret with the first of the master keys: {"key", "secrets", "resealed", "restored", "unreadable"}."""
        return _answer("amzsync_rotate_key", self._open())[1]

    def changes(self, user: str, after: int = 0, streams: Optional[str] = None) -> "Changes":
        """What changed of a user's rows after a number; with 0 first all rows that are there."""
        return Changes(self._open(), user, after, streams)

    def acknowledge(self, user: str, reader: str, position: int) -> None:
        """Keeps, under a reader's name, how far it has come; never goes back."""
        _call("amzsync_changes_acknowledge", self._open(), user, reader, position)

    def acknowledged(self, user: str, reader: str) -> int:
        """That number; 0 for a new reader."""
        position = ctypes.c_int64()
        _call("amzsync_changes_acknowledged", self._open(), user, reader, ctypes.byref(position))
        return position.value

    def _open(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise ValueError("the engine is closed")
        return self._handle


class Changes:
    """A reader's place in a user's changes. Iterating ends where everything that is committed was given; a later iteration may find more."""

    def __init__(self, engine: ctypes.c_void_p, user: str, after: int, streams: Optional[str]) -> None:
        self._handle: Optional[ctypes.c_void_p] = None
        handle = ctypes.c_void_p()
        _call("amzsync_changes_open", engine, user, streams, after, ctypes.byref(handle))
        self._handle = handle

    def __iter__(self) -> Iterator[dict]:
        while True:
            text, size = ctypes.c_char_p(), ctypes.c_size_t()
            _call("amzsync_changes_next", self._open(), ctypes.byref(text), ctypes.byref(size))
            if text.value is None:
                return
            yield json.loads(text.value)

    @property
    def position(self) -> int:
        """Number of the last change that was given; where to go on."""
        return _library.amzsync_changes_position(self._open())

    @property
    def gap(self) -> bool:
        """Whether the number to begin after was no longer kept, so that the copy must be begun anew."""
        return bool(_library.amzsync_changes_gap(self._open()))

    def close(self) -> None:
        if self._handle is not None:
            _library.amzsync_changes_close(self._handle)
            self._handle = None

    def __enter__(self) -> "Changes":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def _open(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise ValueError("the reader is closed")
        return self._handle
