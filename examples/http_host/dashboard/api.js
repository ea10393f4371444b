// SPDX-License-Identifier: Apache-2.0
// The host's routes, and what goes wrong with them.

export const base = "/api/v1/integrations/amazon";

/** In demo mode the page's own address says who the user is; one that comes back from Amazon is remembered by the tab. */
function userOfPage() {
  const query = new URLSearchParams(location.search);
  const back = query.has("amazon_connected") || query.has("amazon_error");
  const user = query.get("userId") ?? (back ? sessionStorage.getItem("userId") : null);
  if (user === null) sessionStorage.removeItem("userId");
  else sessionStorage.setItem("userId", user);
  return user;
}

export const user = userOfPage();

export const at = path => user ? path + (path.includes("?") ? "&" : "?") + "userId=" + encodeURIComponent(user) : path;

/** What an answer that is no success says: `code` for programs, `message` for people. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.message || "The server answered with an error.");
    this.status = status;
    this.code = body.error || "";
    this.body = body;
  }
}

const kPatience = 30_000;

export async function call(path, options = {}) {
  let answer, body;
  try {
    answer = await fetch(at(path), {signal: AbortSignal.timeout(kPatience), ...options});
  } catch (failure) {
    throw new Problem(0, {error: "unreachable", message: "The server can't be reached. This page tries again by itself."});
  }
  try {
    body = await answer.json();
  } catch (failure) {
    throw new Problem(answer.status, {message: "The server's answer can't be read."});
  }
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

export const post = path => call(path, {method: "POST"});
export const put = (path, body) => call(path, {method: "PUT", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
