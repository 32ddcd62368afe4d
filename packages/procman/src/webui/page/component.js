// One component: what it is, where it stands, what it does, and its props.

import { get } from "./api.js";
import { componentHref, placeHref } from "./component-list.js";
import { h } from "./dom.js";
import { rate, time } from "./format.js";
import { every, rateAndLatency } from "./stage.js";

/** @param {HTMLElement} section @param {string} path */
export function open(section, path) {
  const facts = h("dl", { class: "facts" });
  const numbers = h("div", {});
  const props = h("div", {});
  section.append(
    h("p", { class: "crumbs" }, h("a", { href: "#/stage" }, "Stage"), " / "),
    h("h1", { class: "path" }, path),
    facts,
    numbers,
    h("h2", {}, "Props"),
    props,
  );
  const stop = every(5000, async () => {
    try {
      const found = await get("component", { path });
      section.querySelector(".crumbs")?.replaceChildren(...crumbs(found.component));
      facts.replaceChildren(...factsOf(found.component));
      numbers.replaceChildren(...numbersOf(found));
      if (props.childElementCount === 0) props.replaceChildren(propsTable(found.props));
    } catch (error) {
      if (facts.childElementCount === 0) facts.replaceChildren(h("div", { class: "bad" }, String(error)));
    }
  });
  return { close: stop };
}

/** @param {any} component */
function crumbs({ box, path }) {
  const owners = path.split("/").slice(0, -1);
  return [
    h("a", { href: "#/stage" }, "Stage"),
    " / ",
    h("a", { href: `#/stage/${box}` }, box),
    ...owners.flatMap((/** @type {string} */ owner, /** @type {number} */ i) => [
      " / ",
      h("a", { href: componentHref(owners.slice(0, i + 1).join("/")) }, owner),
    ]),
  ];
}

/** @param {any} component */
function factsOf({ kind, sign, name, place }) {
  const fact = (/** @type {string} */ title, /** @type {string | Node} */ value) =>
    h("div", {}, h("dt", {}, title), h("dd", {}, value));
  return [
    fact("Kind", kind),
    fact("Sign", h("code", {}, sign)),
    ...(name === "" ? [] : [fact("Name", name)]),
    ...(place === undefined ? [] : [fact("Place", h("a", { href: placeHref(place) }, place))]),
  ];
}

/** @param {any} found */
function numbersOf({ component, nodes, history }) {
  if (component.counted === undefined) return [];
  const now = [
    `${rate(component.rate)} per second`,
    `${rate(component.errorRate)} errors per second`,
    `p99 ${time(component.p99)}`,
    `${component.underWay} now`,
  ].join(", ");
  const parts = [h("h2", {}, "Activity"), h("p", {}, now)];
  if (component.counted !== component.path)
    parts.push(h("p", { class: "muted" }, `Counted as ${component.counted}, with all components of this name.`));
  if (history !== null) parts.push(h("div", { class: "charts" }, rateAndLatency(history)));
  if (nodes.length > 0) {
    const rows = nodes.map((/** @type {any} */ node) =>
      h(
        "li",
        {},
        h("code", {}, node.path.split(" ")[1]),
        ` ${rate(node.rate)} per second, p99 ${time(node.p99)}, ${node.underWay} now`,
      ),
    );
    parts.push(h("h2", {}, "Nodes"), h("ul", { class: "plain" }, rows));
  }
  return parts;
}

/** @param {any[]} props */
function propsTable(props) {
  if (props.length === 0) return h("p", { class: "muted" }, "It has none.");
  const head = h(
    "tr",
    {},
    ["Prop", "Value", "Set at"].map((name) => h("th", { scope: "col" }, name)),
  );
  const rows = props.map(({ name, value, place }) =>
    h(
      "tr",
      { class: place === undefined ? "muted" : "" },
      h("th", { scope: "row" }, h("code", {}, name)),
      h("td", {}, h("code", { class: "value" }, value)),
      h("td", {}, place === undefined ? "default" : h("a", { class: "quiet", href: placeHref(place) }, place)),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Props" },
    h("table", {}, h("thead", {}, head), h("tbody", {}, rows)),
  );
}
