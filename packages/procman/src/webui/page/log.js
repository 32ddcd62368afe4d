// The error log of all processes, as far as it is kept, and who did what.

import { get } from "./api.js";
import { componentHref } from "./component-list.js";
import { h, setText, sync } from "./dom.js";
import { clock, counted, span } from "./format.js";

const levels = ["debug", "info", "warn", "error"];
const maxShown = 1000;

/** @param {HTMLElement} section */
export function open(section) {
  const lines = h("ol", { class: "log" });
  const changes = h("tbody", {});
  const nobody = h("p", { class: "muted" }, "Nobody has changed anything since the start.");
  const shownCount = h("span", { role: "status", class: "muted" });
  const level = /** @type {HTMLSelectElement} */ (
    h(
      "select",
      { id: "level" },
      levels.map((name) =>
        h("option", { value: name, selected: name === "info" }, name === "error" ? "error" : `${name} and worse`),
      ),
    )
  );
  const filter = /** @type {HTMLInputElement} */ (
    h("input", { id: "text", type: "search", placeholder: "text or component" })
  );
  section.append(
    h("h1", {}, "Log"),
    h(
      "div",
      { class: "tools" },
      h("label", { for: "level" }, "Level"),
      level,
      h("label", { for: "text" }, "Filter"),
      filter,
      h("span", { class: "grow" }),
      shownCount,
    ),
    h(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Lines of the log, the newest first" },
      lines,
    ),
    h("h2", {}, "Who did what"),
    nobody,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Who did what" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Time", "Who", "What", "Took", "Result"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        changes,
      ),
    ),
  );
  /** @type {any[]} */
  let log = [];
  /** @type {any[]} */
  let audit = [];
  let isLoaded = false;

  function show() {
    const from = levels.indexOf(level.value);
    const words = filter.value.toLowerCase();
    const shown = log.filter(
      (entry) =>
        levels.indexOf(entry.level) >= from &&
        `${entry.path} ${entry.text} ${entry.from}`.toLowerCase().includes(words),
    );
    setText(shownCount, `${counted(shown.length, "line")} of ${log.length.toLocaleString("en-US")} kept`);
    sync(lines, shown.toReversed(), ({ number }) => String(number), lineOf);
    nobody.hidden = audit.length > 0;
    sync(changes, audit.toReversed(), ({ number }) => String(number), changeOf);
  }

  /** @param {{ log: any[], audit: any[] }} more */
  function add(more) {
    const added = behind(log, more.log);
    const done = behind(audit, more.audit);
    if (added.length + done.length === 0) return;
    log = [...log, ...added].slice(-maxShown);
    audit = [...audit, ...done].slice(-maxShown);
    show();
  }

  const load = async () => {
    add(await get("entries", { log: log.at(-1)?.number ?? 0, audit: audit.at(-1)?.number ?? 0 }));
    isLoaded = true;
    show();
  };
  level.addEventListener("change", show);
  filter.addEventListener("input", show);
  void load();
  return {
    /** @param {any} pulse */
    update(pulse) {
      if (!isLoaded) return;
      // Something was missed while the tab was hidden, or slow.
      const isGap = [
        [log, pulse.log],
        [audit, pulse.audit],
      ].some(([known, more]) => more.length > 0 && more[0].number > (known.at(-1)?.number ?? 0) + 1);
      if (isGap) void load();
      else add(pulse);
    },
  };
}

/** @param {any[]} known @param {any[]} more */
function behind(known, more) {
  const last = known.at(-1)?.number ?? 0;
  return more.filter(({ number }) => number > last);
}

/** @param {any} entry */
function lineOf({ time, level, path, text, from }) {
  const [first = "", ...rest] = text.split("\n");
  const title = [
    h("time", {}, clock(time)),
    h("span", { class: `level ${level}` }, level),
    h("span", { class: "muted" }, from),
  ];
  const where = path === "" ? null : h("a", { class: "quiet", href: componentHref(path) }, path);
  const more =
    rest.length === 0
      ? null
      : h("details", {}, h("summary", {}, `${counted(rest.length, "more line")}`), h("pre", {}, rest.join("\n")));
  return h("li", {}, title, where, h("span", { class: "message" }, first), more);
}

/** @param {any} entry */
function changeOf({ time, by, what, took, failure }) {
  return h(
    "tr",
    {},
    h("td", {}, clock(time)),
    h("td", {}, by),
    h("td", {}, h("code", {}, what)),
    h("td", {}, span(took)),
    h("td", { class: failure === undefined ? "" : "bad" }, failure ?? "done"),
  );
}
