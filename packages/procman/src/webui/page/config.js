// The running configuration with line numbers; a candidate with its mistakes in place and its plan; reload and rework.

import { act, get, post } from "./api.js";
import { componentHref } from "./component-list.js";
import { confirmed } from "./dialog.js";
import { h, setText } from "./dom.js";
import { counted } from "./format.js";
import { sourceView } from "./source-view.js";

const fates = {
  updated: "changed in place",
  recomposed: "recomposed",
  replaced: "made anew",
  created: "new",
  dropped: "dropped",
};

/** @param {HTMLElement} section @param {string} place `shop.conf:12:5` */
export function open(section, place) {
  const view = h("div", {});
  const result = h("div", { "aria-live": "polite" });
  const select = /** @type {HTMLSelectElement} */ (h("select", { id: "file" }));
  section.append(
    h(
      "div",
      { class: "title" },
      h("h1", {}, "Configuration"),
      h("button", { type: "button", onclick: () => checkDisk(result) }, "Check the file on the disk"),
      h("button", { type: "button", onclick: () => reload(result) }, "Reload …"),
      h("button", { type: "button", onclick: () => rework(result) }, "Rework …"),
    ),
    result,
    h(
      "div",
      { class: "tools" },
      h("h2", {}, "Running"),
      h("span", { class: "grow" }),
      h("label", { for: "file" }, "File"),
      select,
    ),
    view,
    candidateForm(),
  );
  select.addEventListener("change", () => showFile(view, files, select.value));
  /** @type {{ path: string, text: string }[]} */
  let files = [];
  const load = async () => {
    ({ files } = await get("config"));
    const [, file = "", line = "0"] = /^(.*?)(?::(\d+)(?::\d+)?)?$/.exec(place) ?? [];
    const shown = files.find(({ path }) => file !== "" && path.endsWith(file.replace(/^\.\//, ""))) ?? files[0];
    select.replaceChildren(...files.map(({ path }) => h("option", { value: path }, path)));
    if (shown === undefined) return;
    select.value = shown.path;
    showFile(view, files, shown.path, Number(line));
  };
  void load();
  /** @type {number | undefined} */
  let generation;
  return {
    /** @param {any} pulse */
    update(pulse) {
      if (generation !== undefined && generation !== pulse.generation) void load();
      generation = pulse.generation;
    },
  };
}

/** @param {Element} view @param {{ path: string, text: string }[]} files @param {string} path @param {number} [line] */
function showFile(view, files, path, line = 0) {
  view.replaceChildren(sourceView(files.find((file) => file.path === path)?.text ?? "", [], line));
}

/** @param {Element} result */
async function checkDisk(result) {
  setText(result, "Checking …");
  result.replaceChildren(...(await checked({})));
}

/** What a check says, as elements. @param {{ text?: string }} candidate */
async function checked(candidate) {
  try {
    const found = await post("candidate", candidate);
    const { problems, warnings, plan, files } = found;
    const head = problems.length > 0 ? `${counted(problems.length, "mistake")}: it cannot be used` : "It can be used";
    const notes = [...problems, ...warnings.map((/** @type {any} */ one) => ({ ...one, isWarning: true }))];
    const title = h("h2", { class: problems.length > 0 ? "bad" : "good" }, head);
    return [
      h(
        "section",
        { class: "panel" },
        title,
        ...withoutPlace(notes),
        ...withPlaces(notes, files, candidate.text),
        ...planOf(plan),
      ),
    ];
  } catch (error) {
    return [h("p", { class: "bad", role: "alert" }, error instanceof Error ? error.message : String(error))];
  }
}

/** @param {any[]} notes */
function withoutPlace(notes) {
  return notes.filter(({ place }) => place === undefined).map((note) => h("p", { class: "mistake" }, noteText(note)));
}

/** Each file that has a note. @param {any[]} notes @param {any[]} files @param {string} [text] Of the main file. */
function withPlaces(notes, files, text) {
  const byFile = Map.groupBy(
    notes.filter(({ place }) => place !== undefined),
    ({ place }) => place.file,
  );
  return [...byFile].flatMap(([name, here]) => {
    const at = files.findIndex(({ path }) => path.endsWith(name.replace(/^\.\//, "")));
    const shown = at === 0 && text !== undefined ? text : (files[at]?.text ?? "");
    const lines = here.map((note) => ({ line: note.place.line, text: noteText(note), isWarning: note.isWarning }));
    return [h("h3", {}, name), sourceView(shown, lines)];
  });
}

/** @param {any} note */
function noteText({ message, hint }) {
  return hint === undefined ? message : `${message}; ${hint}`;
}

/** @param {any} report */
function planOf(report) {
  if (report === undefined) return [];
  const { plan, unlisted, cost, changedModules, nodeOrders = [] } = report;
  const total = plan.changes.length + unlisted;
  const summary = total === 0 ? "Nothing changes" : `${counted(total, "component")} would change`;
  return [
    h("h3", {}, "Plan"),
    h("p", {}, `${summary}; ${plan.kept.toLocaleString("en-US")} stay as they are.`),
    h("ul", { class: "plan" }, plan.changes.slice(0, 200).map(changeOf)),
    ...(total > 200 ? [h("p", { class: "muted" }, `… and ${total - 200} more`)] : []),
    ...(cost === null || total === 0 ? [] : costOf(cost)),
    ...changedModules.map((/** @type {string} */ path) => h("p", {}, `Changed module: ${path}. A rework loads it.`)),
    ...(nodeOrders.length === 0 ? [] : [h("p", {}, `${counted(nodeOrders.length, "order")} for nodes stay in force.`)]),
  ];
}

/** @param {any} change */
function changeOf({ fate, path, place, reasons }) {
  return h(
    "li",
    { class: fate },
    h("span", { class: "fate" }, fates[/** @type {keyof typeof fates} */ (fate)]),
    h("a", { href: componentHref(path) }, path),
    place === undefined ? null : h("span", { class: "muted small" }, ` ${place}`),
    reasons.length === 0
      ? null
      : h(
          "ul",
          { class: "plain muted" },
          reasons.map((/** @type {string} */ reason) => h("li", {}, reason)),
        ),
  );
}

/** @param {any} cost */
function costOf({ components, untouchedConns, drainTimeout }) {
  const lines = components.map((/** @type {any} */ { path, requests, webSockets, tunnels, conns }) =>
    h(
      "li",
      {},
      `${path}: ${counted(requests, "request")} to finish; `,
      `${counted(webSockets + tunnels + conns, "connection")} closed within ${drainTimeout / 1000} s`,
    ),
  );
  return [h("ul", { class: "plain" }, lines, h("li", {}, `${counted(untouchedConns, "connection")} untouched`))];
}

/** @param {Element} result */
async function reload(result) {
  const text = h(
    "div",
    {},
    h("p", {}, "All workers follow the configuration file as it is on the disk, or none."),
    h("div", { class: "preview" }, "Checking …"),
  );
  void checked({}).then((found) => text.querySelector(".preview")?.replaceChildren(...found));
  const isDone = await confirmed("Reload?", text, "Reload", () => act("reload"));
  if (isDone)
    result.replaceChildren(h("p", { class: "good", role: "status" }, "The program follows the new configuration."));
}

/** @param {Element} result */
async function rework(result) {
  const text = "New workers load the code anew, slot by slot. Each is ready before the old one finishes its work.";
  const isDone = await confirmed("Replace all workers?", text, "Rework", () => act("rework"));
  if (isDone) result.replaceChildren(h("p", { class: "good", role: "status" }, "All workers are replaced."));
}

function candidateForm() {
  const area = /** @type {HTMLTextAreaElement} */ (
    h("textarea", { id: "candidate", rows: 12, spellcheck: "false", placeholder: "stage { … }" })
  );
  const file = /** @type {HTMLInputElement} */ (h("input", { id: "load", type: "file", accept: ".conf,text/plain" }));
  const result = h("div", { "aria-live": "polite" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    result.replaceChildren(h("p", { class: "muted" }, "Checking …"));
    result.replaceChildren(...(await checked({ text: area.value })));
  };
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) area.value = await chosen.text();
  });
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Try a candidate"),
    h("p", { class: "muted" }, "It stands for the main file, and is checked as a reload would. Nothing is changed."),
    h(
      "form",
      { class: "candidate", onsubmit: submit },
      h("label", { for: "candidate" }, "Text"),
      area,
      h("label", { for: "load" }, "Or from a file"),
      file,
      h("button", { class: "primary" }, "Check"),
    ),
    result,
  );
}
