// The worker processes: memory, event loop, connections; they can be replaced.

import { act, get } from "./api.js";
import { chart } from "./chart.js";
import { confirmed } from "./dialog.js";
import { h, setText, sync } from "./dom.js";
import { bytes, percent, span, time } from "./format.js";
import { every } from "./stage.js";

const columns = ["Slot", "State", "Up", "Memory", "Event loop", "Delay p99", "GC", "Connections", "CPU time", ""];

/** @param {HTMLElement} section */
export function open(section) {
  const body = h("tbody", {});
  const leader = h("p", { class: "muted" });
  const charts = h("div", { class: "charts" });
  const all = h("button", { type: "button", onclick: () => rework() }, "Replace all workers …");
  section.append(
    h("div", { class: "title" }, h("h1", {}, "Workers"), all),
    leader,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Workers" },
      h("table", {}, h("thead", {}, h("tr", {}, columns.map(headOf))), body),
    ),
    h("h2", {}, "Last 15 minutes"),
    charts,
  );
  /** @type {number[]} */
  let slots = [];
  const stop = every(15_000, () => drawCharts(charts, slots));
  return {
    /** @param {any} pulse */
    update(pulse) {
      const { leader: status, workers, activity } = pulse;
      const isSingle = workers.some((/** @type {any} */ { pid }) => pid === status.pid);
      const what = isSingle ? "This program is the one" : "The leader is";
      setText(
        leader,
        `${what} process ${status.pid} with ${bytes(status.rss)}. It listens on ${status.listensOn.join(", ")}.`,
      );
      all.hidden = isSingle;
      const uses = new Map(activity.workers.map((/** @type {any} */ use) => [use.slot, use]));
      const rows = workers.map((/** @type {any} */ worker) => ({
        ...worker,
        use: uses.get(worker.slot),
        now: pulse.time,
        isSingle,
      }));
      sync(body, rows, ({ pid }) => String(pid), makeRow, showRow);
      const known = [...new Set(workers.map((/** @type {any} */ { slot }) => slot))];
      if (String(known) === String(slots)) return;
      slots = /** @type {number[]} */ (known);
      void drawCharts(charts, slots);
    },
    close: stop,
  };
}

/** @param {string} name */
function headOf(name) {
  if (name === "") return h("td", {});
  return h("th", { scope: "col", class: ["Slot", "State"].includes(name) ? "" : "number" }, name);
}

/** @param {any} worker */
function makeRow({ slot, pid, isSingle }) {
  const button = h("button", { type: "button", class: "small", onclick: () => rework(slot) }, `Replace ${slot} …`);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, String(slot), h("span", { class: "muted small" }, ` process ${pid}`)),
    h("td", {}),
    Array.from({ length: 7 }, () => h("td", { class: "number" })),
    h("td", {}, isSingle ? [] : button),
  );
}

/** @param {HTMLElement} row @param {any} worker */
function showRow(row, { state, startedAt, rss, cpu, conns, use, now }) {
  const [, stateCell, ...cells] = [...row.children];
  if (stateCell !== undefined) {
    setText(stateCell, state);
    stateCell.className = `state ${state === "ready" ? "good" : "bad"}`;
  }
  const texts = [
    span(now - startedAt),
    bytes(rss),
    use === undefined ? "–" : percent(use.loop),
    use === undefined ? "–" : time(use.loopDelay),
    use === undefined ? "–" : percent(use.collecting),
    conns === null ? "–" : conns.toLocaleString("en-US"),
    cpu === null ? "–" : span(cpu),
  ];
  for (const [i, text] of texts.entries()) setText(/** @type {Element} */ (cells[i]), text);
  cells[2]?.classList.toggle("bad", use?.loop > 0.9);
}

/** @param {number} [slot] Default: all. */
function rework(slot) {
  const title = slot === undefined ? "Replace all workers?" : `Replace worker ${slot}?`;
  const text =
    "A new worker loads the code anew. It is ready before the old one finishes its work: no connection is refused.";
  return confirmed(title, text, "Replace", () => act("rework", slot === undefined ? {} : { slot }));
}

/** @param {Element} charts @param {readonly number[]} slots */
async function drawCharts(charts, slots) {
  const histories = await Promise.all(slots.map((slot) => get("history", { path: `worker.${slot}` })));
  const drawn = slots.flatMap((slot, i) => {
    const history = histories[i];
    if (history === null || history === undefined) return [];
    const { times, points } = history;
    return [
      chart(`Worker ${slot}: memory`, {
        times,
        format: bytes,
        lines: [
          { name: "resident", values: points.rss, role: "main" },
          { name: "heap", values: points.heapUsed, role: "second" },
        ],
      }),
      chart(`Worker ${slot}: event loop busy`, {
        times,
        format: percent,
        lines: [{ name: "busy", values: points.loop, role: "main" }],
      }),
    ];
  });
  charts.replaceChildren(
    ...(drawn.length > 0 ? drawn : [h("p", { class: "muted" }, "The first point comes 15 seconds after the start.")]),
  );
}
