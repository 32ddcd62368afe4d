// The picture of the stage, alive: what stands where, and what it does. A box opens the list of its components.

import { get } from "./api.js";
import { concerns } from "./attention.js";
import { chart } from "./chart.js";
import { componentList } from "./component-list.js";
import { h, setText, sync } from "./dom.js";
import { counted, perSecond, rate, time } from "./format.js";

/** The boxes from top to bottom; `area` is their place in the grid of style.css. */
const boxes = [
  { name: "cronjobs", title: "Cronjobs", unit: "" },
  { name: "otherServers", title: "Other servers", unit: "conn/s" },
  { name: "routers", title: "Routers", unit: "conn/s" },
  { name: "rpcServers", title: "RPC servers", unit: "conn/s" },
  { name: "webServers", title: "Web servers", unit: "conn/s" },
  { name: "cases", title: "Cases, dealets", unit: "" },
  { name: "services", title: "Services", unit: "" },
  { name: "webapps", title: "Webapps", unit: "req/s" },
  { name: "rules", title: "Rules, handlets, revisers", unit: "req/s" },
  { name: "staters", title: "Staters", unit: "" },
  { name: "cachers", title: "Cachers", unit: "" },
  { name: "backends", title: "Backends", unit: "req/s" },
  { name: "outgates", title: "Outgates", unit: "" },
  { name: "addons", title: "Addons", unit: "" },
  { name: "fixtures", title: "Clock, fcache, namer", unit: "" },
];

/** @param {HTMLElement} section @param {string} opened The name of a box. */
export function open(section, opened) {
  const list = h("ul", { class: "concerns" });
  const figures = h("dl", { class: "figures" });
  const picture = h("div", { class: "picture" }, boxes.map(makeBox));
  const charts = h("div", { class: "charts" });
  const box = boxes.find(({ name }) => name === opened);
  const components = box === undefined ? undefined : componentList(box.name, box.title);
  section.append(
    h("h1", {}, "Stage"),
    h("div", { role: "status" }, list),
    figures,
    h("h2", { class: "hidden" }, "The picture"),
    h("p", { class: "side muted" }, "↑ prepared from the bottom up   ↓ shut down from the top down"),
    picture,
  );
  if (components !== undefined) section.append(components.element);
  section.append(h("h2", {}, "Last 15 minutes"), charts);
  const stopCharts = every(15_000, () => drawCharts(charts));
  if (box !== undefined) {
    picture.querySelector(`[href="#/stage/${box.name}"]`)?.setAttribute("aria-current", "true");
    components?.element.scrollIntoView({ block: "nearest" });
  }
  return {
    /** @param {any} pulse */
    update(pulse) {
      showConcerns(list, pulse);
      showFigures(figures, pulse);
      for (const one of pulse.boxes) showBox(picture, one);
      components?.update();
    },
    close() {
      stopCharts();
    },
  };
}

/** @param {{ name: string, title: string, unit: string }} box */
function makeBox({ name, title, unit }) {
  return h(
    "a",
    { class: `box box-${name}`, href: `#/stage/${name}`, "data-box": name, "data-unit": unit },
    h("span", { class: "box-title" }, title),
    h("span", { class: "box-count" }),
    h("span", { class: "box-numbers" }, h("span", {}), h("span", { class: "bad" })),
  );
}

/** @param {Element} picture @param {any} box */
function showBox(picture, { name, count, rate: now, errorRate, p99 }) {
  const element = /** @type {HTMLElement} */ (picture.querySelector(`[data-box="${name}"]`));
  if (element === null) return;
  element.classList.toggle("empty", count === 0);
  element.classList.toggle("failing", errorRate > 0);
  setText(/** @type {Element} */ (element.querySelector(".box-count")), count === 0 ? "none" : String(count));
  const parts = now === null ? [] : [`${rate(now)} ${element.dataset.unit}`];
  if (p99 !== null) parts.push(`p99 ${time(p99)}`);
  const numbers = /** @type {Element} */ (element.querySelector(".box-numbers"));
  setText(/** @type {Element} */ (numbers.firstElementChild), parts.join(" · "));
  const failed = errorRate > 0 ? ` · ${rate(errorRate)} errors/s` : "";
  setText(/** @type {Element} */ (numbers.lastElementChild), failed);
}

/** @param {Element} list @param {any} pulse */
function showConcerns(list, pulse) {
  const found = concerns(pulse);
  list.classList.toggle("calm", found.length === 0);
  const shown = found.length === 0 ? [{ text: "Nothing needs attention", href: "" }] : found;
  const make = (/** @type {{ text: string, href: string }} */ { text, href }) =>
    h("li", {}, href === "" ? text : h("a", { href }, text));
  sync(list, shown, ({ text }) => text, make);
}

/** @param {Element} figures @param {any} pulse */
function showFigures(figures, { activity }) {
  const { requests, attempts, conns } = activity.totals;
  const items = [
    {
      name: "Requests",
      value: `${rate(requests.rate)} /s`,
      note: counted(requests.underWay, "request") + " under way",
    },
    { name: "Errors", value: `${rate(requests.errorRate)} /s`, note: "responses 5xx", isBad: requests.errorRate > 0 },
    { name: "Latency p99", value: time(requests.p99), note: `p50 ${time(requests.p50)}` },
    { name: "Connections", value: conns.underWay.toLocaleString("en-US"), note: `${rate(conns.rate)} new /s` },
    {
      name: "To nodes",
      value: `${rate(attempts.rate)} /s`,
      note: `${rate(attempts.errorRate)} failed /s`,
      isBad: attempts.errorRate > 0,
    },
  ];
  sync(
    figures,
    items,
    ({ name }) => name,
    ({ name }) => h("div", {}, h("dt", {}, name), h("dd", { class: "value" }), h("dd", { class: "muted note" })),
    (element, { value, note, isBad }) => {
      const [, shown, below] = /** @type {[Element, Element, Element]} */ (
        /** @type {unknown} */ ([...element.children])
      );
      setText(shown, value);
      shown.classList.toggle("bad", isBad === true);
      setText(below, note);
    },
  );
}

/** @param {Element} charts */
async function drawCharts(charts) {
  const history = await get("history", { path: "requests" });
  if (history === null) {
    charts.replaceChildren(h("p", { class: "muted" }, "The first point comes 15 seconds after the start."));
    return;
  }
  charts.replaceChildren(...rateAndLatency(history));
}

/** Of a component that counts. @param {any} history */
export function rateAndLatency({ times, points }) {
  return [
    chart("Requests per second", {
      times,
      format: perSecond,
      lines: [
        { name: "all", values: points.rate, role: "main" },
        { name: "errors", values: points.errorRate, role: "bad" },
      ],
    }),
    chart("Latency", {
      times,
      format: time,
      lines: [
        { name: "p99", values: points.p99, role: "main" },
        { name: "p50", values: points.p50, role: "second" },
      ],
    }),
  ];
}

/**
 * Does it now and again; a failure is left to the next time.
 *
 * @param {number} interval
 * @param {() => Promise<void>} work
 */
export function every(interval, work) {
  const run = () => void work().catch(() => {});
  run();
  const timer = setInterval(run, interval);
  return () => clearInterval(timer);
}
