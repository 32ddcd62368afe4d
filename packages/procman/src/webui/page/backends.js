// The backends: how their nodes are and why; nodes can be drained and weighted.

import { act } from "./api.js";
import { componentHref } from "./component-list.js";
import { confirmed } from "./dialog.js";
import { h, setText, sync } from "./dom.js";
import { counted } from "./format.js";

const columns = ["Node", "State", "Why", "Now", "Failures", "Weight", ""];

/** @param {HTMLElement} section */
export function open(section) {
  const list = h("div", {});
  section.append(
    h("h1", {}, "Backends"),
    h("p", { class: "muted" }, "An order for a node stays over reloads, until another one takes its place."),
    list,
  );
  return {
    /** @param {any} pulse */
    update({ backends }) {
      if (backends.length === 0) list.replaceChildren(h("p", {}, "The configuration has no backend."));
      else sync(list, backends, ({ path }) => path, makeBackend, showBackend);
    },
  };
}

/** @param {any} backend */
function makeBackend({ name, path }) {
  return h(
    "section",
    { class: "panel", "data-name": name },
    h("h2", {}, h("a", { href: componentHref(path) }, path)),
    h("p", { class: "queue muted" }),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Nodes of ${name}` },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            columns.map((title) =>
              title === ""
                ? h("td", {})
                : h("th", { scope: "col", class: /Now|Fail/.test(title) ? "number" : "" }, title),
            ),
          ),
        ),
        h("tbody", {}),
      ),
    ),
  );
}

/** @param {HTMLElement} element @param {any} backend */
function showBackend(element, { name, queued, nodes }) {
  const up = nodes.filter((/** @type {any} */ { state }) => state === "up").length;
  const queue = /** @type {Element} */ (element.querySelector(".queue"));
  setText(queue, `${up} of ${counted(nodes.length, "node")} up; ${counted(queued, "request")} waiting for a node`);
  const body = /** @type {Element} */ (element.querySelector("tbody"));
  sync(
    body,
    nodes,
    (/** @type {any} */ { node, address }) => `${node} ${address}`,
    (node) => makeNode(name, node),
    showNode,
  );
}

/** @param {string} backend @param {any} node */
function makeNode(backend, { node, address }) {
  const name = address === "" ? node : address;
  return h(
    "tr",
    { "data-backend": backend, "data-node": name },
    h(
      "th",
      { scope: "row" },
      h("code", {}, name),
      node === name ? null : h("span", { class: "muted small" }, ` ${node}`),
    ),
    h("td", {}),
    h("td", { class: "why" }),
    h("td", { class: "number" }),
    h("td", { class: "number" }),
    h("td", {}, h("button", { type: "button", class: "small", "aria-label": `Weight of ${name}` })),
    h("td", {}, h("button", { type: "button", class: "small" })),
  );
}

/** @param {HTMLElement} row @param {any} node */
function showNode(row, { state, states, weight, configuredWeight, isBackup, active, failures, lastFailure }) {
  const { backend = "", node = "" } = row.dataset;
  const [, stateCell, why, now, failed, weightCell, action] = /** @type {HTMLElement[]} */ ([...row.children]);
  if (!stateCell || !why || !now || !failed || !weightCell || !action) return;
  const views = Object.entries(states).map(([word, count]) => `${word} in ${count}`);
  setText(stateCell, (views.length > 1 ? views.join(", ") : state) + (isBackup ? " (backup)" : ""));
  stateCell.className = `state ${state === "up" ? "good" : state === "drained" ? "idle" : "bad"}`;
  setText(why, whyText(state, lastFailure));
  setText(now, String(active));
  setText(failed, failures.toLocaleString("en-US"));
  const weightButton = /** @type {HTMLButtonElement} */ (weightCell.firstElementChild);
  setText(weightButton, weight === configuredWeight ? `${weight} …` : `${weight} of ${configuredWeight} …`);
  weightButton.onclick = () => void askWeight(backend, node, weight);
  const button = /** @type {HTMLButtonElement} */ (action.firstElementChild);
  const isDrained = state === "drained";
  setText(button, isDrained ? "Take back …" : "Drain …");
  button.setAttribute("aria-label", isDrained ? `Take ${node} back` : `Drain ${node}`);
  button.onclick = () => void askDrain(backend, node, !isDrained);
}

/** @param {string} state @param {string} lastFailure */
function whyText(state, lastFailure) {
  if (state === "drained") return "an operator has ordered it";
  if (state === "draining") return "it has left the configuration, and finishes its work";
  return lastFailure === "" ? "" : state === "up" ? `last failure: ${lastFailure}` : lastFailure;
}

/** @param {string} backend @param {string} node @param {boolean} isDrained */
function askDrain(backend, node, isDrained) {
  const text = isDrained
    ? "It gets no new requests and connections, and finishes what it has."
    : "It takes requests again, unless its health checks fail.";
  const title = isDrained ? `Drain ${node} of ${backend}?` : `Take ${node} of ${backend} back?`;
  return confirmed(title, text, isDrained ? "Drain" : "Take back", () =>
    act("steerNode", { backend, node, isDrained }),
  );
}

/** @param {string} backend @param {string} node @param {number} weight */
function askWeight(backend, node, weight) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { id: "weight", type: "number", min: 1, max: 1000, value: Math.round(weight) })
  );
  const text = h("p", {}, h("label", { for: "weight" }, "Weight, 1 to 1000; empty: that of the configuration"), input);
  const perform = () => act("steerNode", { backend, node, weight: input.value === "" ? null : Number(input.value) });
  return confirmed(`Weight of ${node} of ${backend}`, text, "Set", perform);
}
