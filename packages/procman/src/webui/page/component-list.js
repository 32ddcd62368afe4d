// The components of a box, a page at a time: there may be ten thousand.

import { get } from "./api.js";
import { h, setText, sync } from "./dom.js";
import { counted, rate, time } from "./format.js";

const perPage = 50;

/** @param {string} box @param {string} title */
export function componentList(box, title) {
  let from = 0;
  let filter = "";
  let total = 0;
  let isLoading = false;
  const body = h("tbody", {});
  const range = h("span", { role: "status" });
  const input = h("input", { type: "search", id: "filter", placeholder: "webapp.shop static" });
  const previous = h("button", { type: "button" }, "Previous");
  const next = h("button", { type: "button" }, "Next");
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "list-title" },
    h("h2", { id: "list-title" }, title),
    h(
      "div",
      { class: "tools" },
      h("label", { for: "filter" }, "Filter"),
      input,
      h("span", { class: "grow" }),
      range,
      previous,
      next,
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Components: ${title}` },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Component", "Place", "Per s", "Errors/s", "p99", "Now"].map((name, i) =>
              h("th", { scope: "col", class: i > 1 ? "number" : "" }, name),
            ),
          ),
        ),
        body,
      ),
    ),
  );

  async function load() {
    if (isLoading) return;
    isLoading = true;
    try {
      const page = await get("components", { box, filter, from, count: perPage });
      total = page.total;
      show(page.components);
    } catch {
      // The next second tries again.
    } finally {
      isLoading = false;
    }
  }

  /** @param {any[]} components */
  function show(components) {
    const last = from + components.length;
    setText(range, total === 0 ? "No component" : `${from + 1}–${last} of ${counted(total, "component")}`);
    previous.toggleAttribute("disabled", from === 0);
    next.toggleAttribute("disabled", last >= total);
    sync(body, components, ({ path, place }) => `${path} ${place}`, makeRow, showRow);
  }

  input.addEventListener("input", () => {
    filter = /** @type {HTMLInputElement} */ (input).value;
    from = 0;
    void load();
  });
  previous.addEventListener("click", () => {
    from = Math.max(0, from - perPage);
    void load();
  });
  next.addEventListener("click", () => {
    from += perPage;
    void load();
  });
  void load();
  return { element, update: () => void load() };
}

/** @param {any} component */
function makeRow({ path, place }) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: componentHref(path) }, path)),
    h("td", {}, place === undefined ? "" : h("a", { class: "quiet", href: placeHref(place) }, place)),
    h("td", { class: "number" }),
    h("td", { class: "number" }),
    h("td", { class: "number" }),
    h("td", { class: "number" }),
  );
}

/** @param {HTMLElement} row @param {any} component */
function showRow(row, component) {
  const cells = [...row.children].slice(2);
  const { rate: perSecond, errorRate, p99, underWay } = component;
  const texts = [rate(perSecond), rate(errorRate), time(p99), underWay === null ? "–" : String(underWay)];
  for (const [i, cell] of cells.entries()) setText(cell, texts[i] ?? "");
  cells[1]?.classList.toggle("bad", errorRate > 0);
}

/** @param {string} path */
export function componentHref(path) {
  return `#/component/${encodeURIComponent(path)}`;
}

/** @param {string} place `shop.conf:12:5` */
export function placeHref(place) {
  return `#/config/${encodeURIComponent(place)}`;
}
