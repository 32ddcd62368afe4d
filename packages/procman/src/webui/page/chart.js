// A line chart of the last 15 minutes: zero at the bottom, units on the axes, gaps where there is no value.

import { h, s } from "./dom.js";
import { bytes } from "./format.js";

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {readonly (number | null)[]} values
 * @property {"main" | "second" | "bad"} role
 */

/** The space around the plot, in pixels. */
const margin = { left: 64, right: 12, top: 10, bottom: 26 };
const height = 168;
const period = 15 * 60_000;

/**
 * @param {string} title
 * @param {{ times: readonly number[], lines: readonly Line[], format: (value: number) => string }} data
 */
export function chart(title, data) {
  const plot = h("div", { class: "plot" });
  const legend = h(
    "ul",
    { class: "legend" },
    data.lines.map(({ name, role }) => h("li", { class: role }, name)),
  );
  const figure = h("figure", { class: "chart" }, h("figcaption", {}, h("span", {}, title), legend), plot);
  const draw = () => plot.replaceChildren(drawn(title, data, Math.max(240, plot.clientWidth)));
  new ResizeObserver(draw).observe(plot);
  return figure;
}

/**
 * @param {string} title
 * @param {{ times: readonly number[], lines: readonly Line[], format: (value: number) => string }} data
 * @param {number} width
 */
function drawn(title, { times, lines, format }, width) {
  const end = times.at(-1) ?? Date.now();
  const top = niceTop(
    Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))),
    format === bytes ? 1024 : 1000,
  );
  const [right, bottom] = [width - margin.right, height - margin.bottom];
  const x = (/** @type {number} */ time) => margin.left + (1 - (end - time) / period) * (right - margin.left);
  const y = (/** @type {number} */ value) => bottom - (value / top) * (bottom - margin.top);
  const label = (/** @type {Record<string, any>} */ attributes, /** @type {string} */ text) =>
    s("text", { class: "tick", ...attributes }, text);
  return s(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken(title, lines, format) },
    [0, 0.5, 1].flatMap((share) => [
      s("line", {
        class: share === 0 ? "axis" : "grid",
        x1: margin.left,
        x2: right,
        y1: y(top * share),
        y2: y(top * share),
      }),
      label({ x: margin.left - 8, y: y(top * share) + 4, "text-anchor": "end" }, format(top * share)),
    ]),
    (width < 420 ? [15, 5, 0] : [15, 10, 5, 0]).map((minutes) =>
      label(
        {
          x: x(end - minutes * 60_000),
          y: height - 8,
          "text-anchor": minutes === 0 ? "end" : minutes === 15 ? "start" : "middle",
        },
        minutes === 0 ? "now" : `−${minutes} min`,
      ),
    ),
    lines.map(({ role, values }) => s("path", { class: `line ${role}`, d: pathOf(times, values, x, y) })),
  );
}

/**
 * @param {readonly number[]} times
 * @param {readonly (number | null)[]} values
 * @param {(time: number) => number} x
 * @param {(value: number) => number} y
 */
function pathOf(times, values, x, y) {
  let d = "";
  let isOpen = false;
  for (const [i, value] of values.entries()) {
    if (value === null) {
      isOpen = false;
      continue;
    }
    const point = `${x(times[i] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
    // A single point is drawn as a dot.
    d += isOpen ? `L${point}` : `M${point}h0`;
    isOpen = true;
  }
  return d;
}

/** 1, 2 or 5 times a power of ten, in units of which each is `base` times the one before. */
function niceTop(/** @type {number} */ max, /** @type {number} */ base) {
  if (max <= 0) return 1;
  const unit = base ** Math.floor(Math.log(max) / Math.log(base));
  const power = 10 ** Math.floor(Math.log10(max / unit));
  return unit * power * ([1, 2, 5, 10].find((step) => step * power * unit >= max) ?? 10);
}

/** @param {string} title @param {readonly Line[]} lines @param {(value: number) => string} format */
function spoken(title, lines, format) {
  const parts = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    const [last] = known.slice(-1);
    return last === undefined ? `${name}: none` : `${name}: now ${format(last)}, at most ${format(Math.max(...known))}`;
  });
  return `${title} in the last 15 minutes. ${parts.join("; ")}`;
}
