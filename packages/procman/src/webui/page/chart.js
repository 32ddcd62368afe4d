// A line chart of the last 15 minutes: zero at the bottom, units on the axes, gaps where there is no value.

import { h, s } from "./dom.js";

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
  const top = niceTop(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
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
    [15, 10, 5, 0].map((minutes) =>
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

/** 1, 2 or 5 times a power of ten. @param {number} max */
function niceTop(max) {
  if (max <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(max));
  return ([1, 2, 5, 10].find((step) => step * power >= max) ?? 10) * power;
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
