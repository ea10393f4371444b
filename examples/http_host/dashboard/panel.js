// SPDX-License-Identifier: Apache-2.0
// A part of the page that shows what the server told last: at first that it loads, then what there is, or that there is nothing, or what went wrong and a way to try again.
import {$, element} from "./dom.js";

export class Panel {
  #read; #show; #running = null; #again = false;

  /** `read` asks the server; `show` makes of its answer what stands in the panel. */
  constructor(id, read, show) {
    this.section = $(id);
    this.body = this.section.querySelector(".body");
    this.#read = read;
    this.#show = show;
  }

  /** One at a time; what is asked for meanwhile comes right after. */
  refresh() {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#round().finally(() => { this.#running = null; });
    return this.#running;
  }

  async #round() {
    do {
      this.#again = false;
      this.section.setAttribute("aria-busy", "true");
      try {
        this.put(this.#show(await this.#read()));
      } catch (problem) {
        this.fail(problem);
      }
      this.section.setAttribute("aria-busy", "false");
    } while (this.#again);
  }

  /** What has the keyboard keeps it, where it is still there. */
  put(...parts) {
    const held = document.activeElement;
    const key = this.body.contains(held) ? held.closest("[data-id]")?.getAttribute("data-id") ?? held.getAttribute("aria-label") : null;
    const place = [...this.body.querySelectorAll("button, a, input, [tabindex]")].indexOf(held);
    this.body.replaceChildren(...parts.flat().filter(part => part !== null && part !== undefined));
    if (key === null && place < 0) return;
    const row = key && [...this.body.querySelectorAll("[data-id]")].find(e => e.getAttribute("data-id") === key);
    const again = row ? row.querySelector("button, a") : this.body.querySelectorAll("button, a, input, [tabindex]")[place];
    again?.focus({preventScroll: true});
  }

  fail(problem) {
    if (problem.status === undefined) console.error(problem);   // ours
    this.put(element("p", {className: "bad"}, problem.message), element("button", {type: "button", onclick: () => this.refresh()}, "Try again"));
  }
}

export const nothing = text => element("p", {className: "quiet"}, text);
