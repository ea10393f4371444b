// SPDX-License-Identifier: Apache-2.0
// The stream of events. It goes on after the last one that was heard, however it broke off: a lost connection, a host that was restarted, a laptop that slept.
import {at} from "./api.js";

const kNames = ["connected", "sync.started", "sync_progress", "sync.completed", "sync.failed", "sync.cancelled", "detection.completed", "sync.paused", "sync.resumed", "connection.needs_reauth", "connection.expiring", "dataset.silent"];
const kFirstWait = 1_000, kLongestWait = 30_000;

/** `heard(name, payload)` for each event; `state(open)` when the stream opens and when it breaks off. */
export function listen(heard, state) {
  let last = null, wait = kFirstWait;
  const open = () => {
    const source = new EventSource(at("/api/sse/status" + (last === null ? "" : "?lastEventId=" + last)));
    source.onopen = () => {
      wait = kFirstWait;
      state(true);
    };
    for (const name of kNames)
      source.addEventListener(name, event => {
        if (event.lastEventId) last = event.lastEventId;
        heard(name, JSON.parse(event.data));
      });
    source.onerror = () => {
      state(false);
      if (source.readyState !== EventSource.CLOSED) return;   // then the browser itself tries again
      source.close();
      setTimeout(open, wait);
      wait = Math.min(wait * 2, kLongestWait);
    };
  };
  open();
}
