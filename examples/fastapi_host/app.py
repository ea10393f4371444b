# SPDX-License-Identifier: Apache-2.0
"""A web host in Python, with FastAPI: sellers connect, their syncs are followed, and what they got and are owed is read.

    AMZSYNC_STORE=sqlite:host.db AMZSYNC_LWA_CLIENT_ID=… AMZSYNC_LWA_CLIENT_SECRET=… AMZSYNC_MASTER_KEY=… AMZSYNC_APPLICATION_ID=… AMZSYNC_REDIRECT_URI=https://app.example/callback uvicorn app:app

Whoever calls is who the header X-User says: a real host puts its own sign-in there.
"""
import asyncio
import os
from typing import AsyncIterator
from urllib.parse import urlencode

import amzsync
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

HEARTBEAT_SECONDS = 20
DASHBOARD = os.environ.get("DASHBOARD", "/")
app = FastAPI(title="A host of amzsync")


@app.on_event("startup")
def open_engine() -> None:
    setting = os.environ.get
    app.state.engine = amzsync.Engine(
        store=os.environ["AMZSYNC_STORE"], client_id=os.environ["AMZSYNC_LWA_CLIENT_ID"], client_secret=os.environ["AMZSYNC_LWA_CLIENT_SECRET"], master_key=os.environ["AMZSYNC_MASTER_KEY"],
        application_id=setting("AMZSYNC_APPLICATION_ID", ""), redirect_uri=setting("AMZSYNC_REDIRECT_URI", ""), region=setting("AMZSYNC_REGION"), lwa_endpoint=setting("AMZSYNC_LWA_ENDPOINT"),
        spapi_endpoint=setting("AMZSYNC_SPAPI_ENDPOINT"), consent_endpoint=setting("AMZSYNC_CONSENT_ENDPOINT"), host=("fastapi-host", "1.0"))


@app.on_event("shutdown")
def close_engine() -> None:
    app.state.engine.close()


def engine() -> amzsync.Engine:
    return app.state.engine


def user(x_user: str = Header()) -> str:
    return x_user


def told(text: str) -> Response:
    """The library's own JSON, as it is: amounts are digit for digit."""
    return Response(text, media_type="application/json")


@app.exception_handler(amzsync.Error)
async def refuse(_: Request, error: amzsync.Error) -> JSONResponse:
    status = 404 if isinstance(error, amzsync.NotFoundError) else 400 if isinstance(error, amzsync.ArgumentError) else 409 if isinstance(error, (amzsync.AuthorisationError, amzsync.SyncError)) else 503
    return JSONResponse({"success": False, "error": error.name, "message": str(error)}, status)


# What is no coroutine runs on a thread of its own, where it may wait for Amazon.

@app.get("/connect")
def connect(marketplace: str = Query(None), user: str = Depends(user), engine: amzsync.Engine = Depends(engine)) -> RedirectResponse:
    return RedirectResponse(engine.consent_start(user, DASHBOARD, marketplace).url, 302)


@app.get("/callback")
def callback(state: str = "", spapi_oauth_code: str = "", selling_partner_id: str = "", error: str = "", user: str = Depends(user), engine: amzsync.Engine = Depends(engine)) -> RedirectResponse:
    try:
        done = engine.on_oauth_callback(state=state, code=spapi_oauth_code, seller_id=selling_partner_id, error=error, user=user)
        return RedirectResponse(DASHBOARD + "?" + urlencode({"connected": "true", "sync_id": done.sync_id}), 302)
    except amzsync.AuthorisationError as refused:
        return RedirectResponse(DASHBOARD + "?" + urlencode({"connected": "false", "error": refused.name}), 302)


@app.post("/sync")
def sync(user: str = Depends(user), engine: amzsync.Engine = Depends(engine)) -> Response:
    return told(engine.sync_start(user).text)


@app.get("/recoveries")
def recoveries(user: str = Depends(user), engine: amzsync.Engine = Depends(engine)) -> Response:
    return told(engine.recoveries(user, by_month=True, raw=True))


@app.get("/findings")
def findings(status: str = "claim_ready", user: str = Depends(user), engine: amzsync.Engine = Depends(engine)) -> Response:
    return told(engine.findings(user, status, raw=True))


@app.get("/events")
async def events(last_event_id: int = Header(amzsync.LIVE), user: str = Depends(user), engine: amzsync.Engine = Depends(engine)) -> StreamingResponse:
    reader = engine.events(user, last_event_id)

    async def frames() -> AsyncIterator[bytes]:
        with reader:   # one descriptor a browser, no thread
            yield reader.sse_hello
            while True:
                try:
                    yield (await asyncio.wait_for(reader.__anext__(), HEARTBEAT_SECONDS)).sse
                except asyncio.TimeoutError:
                    yield b": still here\n\n"
                except StopAsyncIteration:
                    return

    return StreamingResponse(frames(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
