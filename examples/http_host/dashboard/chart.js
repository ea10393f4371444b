// SPDX-License-Identifier: Apache-2.0
// Bars as SVG: few enough kinds that drawing them takes less than any library's first kilobyte. What a chart shows stands beside it as a table for who does not see it.
import {element} from "./dom.js";

const kSpace = "http://www.w3.org/2000/svg";

function shape(name, attributes, ...children) {
  const made = document.createElementNS(kSpace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Columns over time: [{label, value, text}]. Values may be below zero. */
export function columns(title, bars) {
  const width = 640, height = 180, foot = 22, left = 4;
  const most = Math.max(0, ...bars.map(b => b.value)), least = Math.min(0, ...bars.map(b => b.value));
  const scale = (height - foot - 10) / (most - least || 1);
  const zero = 10 + most * scale, step = (width - left) / Math.max(1, bars.length);
  const every = Math.ceil(bars.length / 9);   // as many labels as do not touch
  const drawn = shape("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, class: "chart"});
  drawn.append(shape("line", {x1: 0, x2: width, y1: zero, y2: zero, class: "axis"}));
  bars.forEach((bar, i) => {
    const size = Math.abs(bar.value) * scale;
    const x = left + i * step;
    drawn.append(shape("rect", {x: x + step * 0.12, width: step * 0.76, y: bar.value >= 0 ? zero - size : zero, height: Math.max(size, bar.value ? 1 : 0), class: bar.value < 0 ? "below" : ""},
      shape("title", {}, `${bar.label}: ${bar.text}`)));
    if (i % every === 0) drawn.append(shape("text", {x: x + step / 2, y: height - 6, "text-anchor": "middle"}, bar.label));
  });
  return figure(title, drawn, bars);
}

/** Rows by kind, the longest first: [{label, value, text}]. */
export function rows(title, bars) {
  const most = Math.max(1, ...bars.map(b => b.value));
  const drawn = element("div", {className: "bars", "aria-hidden": "true"}, bars.map(bar => {
    const line = shape("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none"}, shape("rect", {x: 0, y: 0, height: 10, width: bar.value / most * 100}));
    return element("div", {className: "bar"}, element("span", {}, bar.label), line, element("span", {className: "number"}, bar.text));
  }));
  return figure(title, drawn, bars);
}

function figure(title, drawn, bars) {
  return element("figure", {}, element("figcaption", {}, title), drawn,
    element("div", {className: "unseen"}, element("table", {}, element("caption", {}, title), element("tbody", {}, bars.map(b => element("tr", {}, element("th", {scope: "row"}, b.label), element("td", {}, b.text)))))));
}
