# SPDX-License-Identifier: Apache-2.0
"""The shared library, with the types of its functions as amzsync.h has them."""
from __future__ import annotations

import ctypes
import decimal
import json
import operator
import os
import pathlib
import sys
import threading
from typing import Any, Callable, Optional

LOG_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p)
FREE_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
EVENT_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
DONE_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
PERFORM_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
PUT_TOKEN_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
TOKEN_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
MIGRATE_FN = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64)


class OAuthParams(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("user", ctypes.c_char_p), ("state", ctypes.c_char_p), ("code", ctypes.c_char_p), ("seller_id", ctypes.c_char_p), ("error", ctypes.c_char_p)]


class Stats(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), *((name, ctypes.c_int64) for name in ("runs_here", "runs_active", "runs_queued", "connections", "needs_reauth"))]


class HttpClient(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("threads", ctypes.c_uint32), ("perform", PERFORM_FN), ("cancel", PERFORM_FN)]


class TokenStore(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("threads", ctypes.c_uint32), ("put", PUT_TOKEN_FN), ("get", TOKEN_FN), ("remove", TOKEN_FN)]


_ABI = 0   # AMZSYNC_ABI_VERSION of the header that the functions are taken from


def _whole(bits: int) -> Callable[[Any], int]:
    """A number that C can hold, for ctypes cuts off what it can't."""
    def check(value: Any) -> int:
        number = operator.index(value)
        if not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise ValueError(f"{number} is beyond what {bits} bits hold")
        return number

    return check


def text_of(value: Any) -> Optional[bytes]:
    if value is None:
        return None
    text = value.encode() if isinstance(value, str) else value
    if not isinstance(text, bytes):
        raise TypeError(f"a text must be a str, not {type(value).__name__}")
    if b"\0" in text:
        raise ValueError("a text must not hold the character of number 0")
    return text


def _same(value: Any) -> Any:
    return value


_TYPES = {"void": None, "text": ctypes.c_char_p, "data": ctypes.c_char_p, "int": ctypes.c_int32, "long": ctypes.c_int64, "size": ctypes.c_size_t, "ptr": ctypes.c_void_p,
          "log": LOG_FN, "free": FREE_FN, "event": EVENT_FN, "done": DONE_FN, "migrate": MIGRATE_FN}
_CHECKS: dict[str, Callable[[Any], Any]] = {"text": text_of, "int": _whole(32), "long": _whole(64)}

# ptr: a handle, or where one or an error is to be put; data: bytes, whose number follows. Those of the answers, errors and events are called by name as well.
_FUNCTIONS = """
text version()
int abi_version()
text status_name(int)
text status_sentence(int)
int error_code(ptr)
text error_message(ptr)
int error_retry(ptr)
int error_http_status(ptr)
text error_api_code(ptr)
text error_request_id(ptr)
void error_free(ptr)
ptr options_new()
void options_free(ptr)
int options_set_store(ptr, text, ptr)
int options_set_synchronous_full(ptr, int, ptr)
int options_set_app(ptr, text, text, text, text, ptr)
int options_set_app_draft(ptr, int, ptr)
int options_set_host(ptr, text, text, ptr)
int options_set_region(ptr, text, ptr)
int options_set_environment(ptr, text, ptr)
int options_set_endpoints(ptr, text, text, text, ptr)
int options_set_ca_file(ptr, text, ptr)
int options_set_proxy(ptr, text, ptr)
int options_set_master_key(ptr, text, ptr)
int options_set_finances(ptr, text, ptr)
int options_set_streams(ptr, text, ptr)
int options_set_history_days(ptr, int, ptr)
int options_set_policy(ptr, text, text, ptr)
int options_set_sync_every_minutes(ptr, int, ptr)
int options_set_journal_days(ptr, int, ptr)
int options_set_archive_days(ptr, int, ptr)
int options_set_archive_pages(ptr, int, ptr)
int options_set_shared_sellers(ptr, int, ptr)
int options_set_max_runs(ptr, int, ptr)
int options_set_log(ptr, int, log, ptr, free, ptr)
int options_set_http_client(ptr, ptr, ptr, free, ptr)
text exchange_method(ptr)
text exchange_url(ptr)
text exchange_header(ptr, size, ptr)
ptr exchange_body(ptr, ptr)
long exchange_timeout_ms(ptr)
int exchange_rules(ptr)
int exchange_answer(ptr, int)
int exchange_answer_header(ptr, text, text)
int exchange_answer_body(ptr, data, size)
int exchange_is_wanted(ptr)
void exchange_finish(ptr, int, text)
int options_set_token_store(ptr, ptr, ptr, free, ptr)
void token_call_done(ptr, int, text, text)
int open(ptr, ptr, ptr)
int close(ptr)
text answer_json(ptr, ptr)
text answer_sync_id(ptr)
text answer_url(ptr)
text answer_user(ptr)
text answer_status(ptr)
int answer_triggered(ptr)
int answer_verified(ptr)
void answer_free(ptr)
int consent_start(ptr, text, text, text, ptr, ptr)
int consent_login(ptr, text, text, text, text, ptr, ptr)
int consent_frontend(ptr, text, ptr, ptr)
int on_oauth_callback(ptr, ptr, ptr, ptr)
int on_oauth_callback_start(ptr, ptr, done, ptr, ptr)
int connect(ptr, text, text, text, ptr, ptr)
int use_existing_connection(ptr, text, ptr, ptr)
int use_existing_connection_start(ptr, text, done, ptr, ptr)
int check(ptr, ptr)
int doctor(ptr, ptr, ptr)
int measures(ptr, ptr, ptr)
int connection(ptr, text, ptr, ptr)
int disconnect(ptr, text, text, ptr)
int erase(ptr, text, text, ptr, ptr)
int migrate(text, text, migrate, ptr, ptr, ptr)
int recoveries(ptr, text, int, ptr, ptr)
int sync_start(ptr, text, text, ptr, ptr)
int replay(ptr, text, text, ptr, ptr)
int sync_cancel(ptr, text, text, text, ptr)
int pause(ptr, text, text, ptr)
int resume(ptr, text, text, ptr)
int notify(ptr, text, data, size, ptr, ptr)
int set_client_secret(ptr, text, ptr)
int rotate_key(ptr, ptr, ptr)
int sync_status(ptr, text, text, ptr, ptr)
int sync_wait(ptr, text, text, long, ptr, ptr)
int status(ptr, text, ptr, ptr)
int history(ptr, text, int, long, ptr, ptr)
int findings(ptr, text, text, text, int, long, ptr, ptr)
int finding_statistics(ptr, text, ptr, ptr)
int explain(ptr, text, text, ptr, ptr)
int finding_set_state(ptr, text, text, text, text, ptr, ptr)
int supply(ptr, text, text, text, ptr)
long event_seq(ptr)
long event_journal(ptr)
text event_type(ptr)
text event_user(ptr)
text event_json(ptr, ptr)
text event_sse(ptr, ptr)
void event_free(ptr)
int events_open(ptr, text, long, ptr, ptr)
int events_gap(ptr)
long events_position(ptr)
long events_journal(ptr)
text events_sse_hello(ptr, ptr)
int events_next(ptr, long, ptr, ptr)
int events_fd(ptr)
void events_close(ptr)
int subscribe(ptr, text, long, event, ptr, free, ptr, ptr)
int unsubscribe(ptr, long)
int changes_open(ptr, text, text, long, ptr, ptr)
int changes_next(ptr, ptr, ptr, ptr)
long changes_position(ptr)
int changes_gap(ptr)
void changes_close(ptr)
int changes_acknowledge(ptr, text, text, long, ptr)
int changes_acknowledged(ptr, text, text, ptr, ptr)
int stats_get(ptr, ptr, ptr)
"""

_functions: dict[str, Callable[..., Any]] = {}


def _library_file() -> str:
    own = pathlib.Path(__file__).with_name("libamzsync.so.0")   # as a wheel brings it
    return os.environ.get("AMZSYNC_LIBRARY") or (str(own) if own.exists() else own.name)


def names() -> list[str]:
    """Every function that can be called, by its name in amzsync.h."""
    return ["amzsync_" + line.split()[1].split("(")[0] for line in _FUNCTIONS.split("\n") if line]


def _checked(called: Any, kinds: list[str]) -> Callable[..., Any]:
    checks = [_CHECKS.get(kind, _same) for kind in kinds]

    def call(*arguments: Any) -> Any:
        return called(*(check(argument) for check, argument in zip(checks, arguments)), *arguments[len(checks):])

    return call


def _load() -> "dict[str, Callable[..., Any]]":
    file = _library_file()
    loaded = ctypes.CDLL(file)
    if loaded.amzsync_abi_version() != _ABI:
        raise ImportError(f"{file} has the ABI {loaded.amzsync_abi_version()}, and this package {_ABI}: they are to be of one version")
    functions = {}
    for line in _FUNCTIONS.split("\n"):
        if not line:
            continue
        result, rest = line.split(" ", 1)
        name, arguments = rest[:-1].split("(")
        kinds = [kind for kind in arguments.split(", ") if kind]
        called = getattr(loaded, "amzsync_" + name)
        called.restype, called.argtypes = _TYPES[result], [_TYPES[kind] for kind in kinds]
        functions[name] = _checked(called, kinds)
    return functions


def function(name: str) -> Callable[..., Any]:
    """Of the shared library, which is loaded at first use. Arguments that C would cut off are ValueErrors."""
    global _functions
    if not _functions:
        _functions = _load()
    return _functions[name]


class Owned(ctypes.c_void_p):
    """A handle that was given out, freed with this: whatever interrupts the call, nothing is lost."""

    free = ""

    def __del__(self) -> None:
        if self.value and _functions:
            _functions[self.free](self)


class AnswerHandle(Owned):
    free = "answer_free"


class ErrorHandle(Owned):
    free = "error_free"


class EventHandle(Owned):
    free = "event_free"


def number(name: str, *arguments: Any) -> int:
    """Of a function that gives one."""
    return int(function(name)(*arguments))


def raw(name: str, *arguments: Any) -> bytes:
    """Of a function that gives a text."""
    return bytes(function(name)(*arguments) or b"")


def text(name: str, *arguments: Any) -> str:
    return raw(name, *arguments).decode()


def decoded(text: Any) -> Any:
    """JSON with its numbers digit for digit."""
    return json.loads(text, parse_float=decimal.Decimal)


inside = threading.local()   # .callback: whether this thread is inside one; .process: in which a function of the host's was called


def at_home(called: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the host's that C calls. A process that it forks ends with it: there is nothing of the library's that it could go back to."""
    def call(*arguments: Any) -> Any:
        inside.process = os.getpid()
        result = called(*arguments)
        if os.getpid() != inside.process:
            os._exit(0)
        return result

    return call


def report(error: BaseException, on_error: Optional[Callable[[BaseException], Any]]) -> None:
    """What a callback raised, and nobody above it can catch."""
    if getattr(inside, "process", os.getpid()) != os.getpid():
        if not isinstance(error, SystemExit):
            sys.excepthook(type(error), error, error.__traceback__)
        code = error.code if isinstance(error, SystemExit) else 1
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
    if on_error is not None:
        try:
            on_error(error)
            return
        except BaseException as another:   # it is no better off
            error = another
    threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread())))
