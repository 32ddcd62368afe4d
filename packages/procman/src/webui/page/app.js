// The web UI: signs in, shows the page that the address names, and passes on what happens in the program.

import { get, NoSession } from "./api.js";
import { h, setText } from "./dom.js";
import { age, clock } from "./format.js";
import { firstSession, listen, sessionOf } from "./session.js";

/**
 * A page that is shown.
 *
 * @typedef {object} Page
 * @property {(pulse: any) => void} [update] Called once a second.
 * @property {() => void} [close]
 */

/** Each is loaded when it is shown first. */
const pages = {
  stage: { title: "Stage", load: () => import("./stage.js") },
  component: { title: "Component", load: () => import("./component.js") },
  workers: { title: "Workers", load: () => import("./workers.js") },
  backends: { title: "Backends", load: () => import("./backends.js") },
  requests: { title: "Requests", load: () => import("./requests.js") },
  config: { title: "Configuration", load: () => import("./config.js") },
  log: { title: "Log", load: () => import("./log.js") },
};

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const live = /** @type {HTMLElement} */ (document.getElementById("live"));
const nav = /** @type {HTMLElement} */ (document.querySelector("nav"));
let program = "Hemi";
/** @type {Page | undefined} */
let shown;
/** @type {any} */
let latest;
let turn = 0;

/** `#/component/webapp.shop` → `["component", "webapp.shop"]` */
function address() {
  const [, page = "stage", ...rest] = location.hash.split("/");
  return [page, decodeURIComponent(rest.join("/"))];
}

async function show() {
  const [name = "", argument = ""] = address();
  const page = pages[/** @type {keyof typeof pages} */ (name)] ?? pages.stage;
  const mine = ++turn;
  for (const link of nav.querySelectorAll("a")) {
    const isHere = link.hash === `#/${name}` || (name === "component" && link.hash === "#/stage");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${page.title} · ${program}`;
  const module = await page.load();
  if (mine !== turn) return;
  shown?.close?.();
  const section = h("section", {});
  shown = module.open(section, argument);
  main.replaceChildren(section);
  if (latest !== undefined) shown?.update?.(latest);
}

/** Asks for the token. @param {string} reason */
function signIn(reason) {
  const input = h("input", { id: "token", name: "token", type: "password", autocomplete: "off", required: true });
  const problem = h("p", { class: "bad", role: "alert" }, reason);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = /** @type {HTMLInputElement} */ (input).value;
    const session = await sessionOf(text.replace(/^.*#token=/, "").trim());
    if (session !== undefined) return start(session);
    problem.textContent = "The program does not know this token.";
  };
  nav.hidden = true;
  main.replaceChildren(
    h(
      "form",
      { class: "sign-in", onsubmit: submit },
      h("h1", {}, "Sign in"),
      h("p", {}, "The command ", h("code", {}, "hemi webui"), " prints a link that opens this page."),
      problem,
      h("label", { for: "token" }, "Link or token"),
      input,
      h("button", { class: "primary" }, "Sign in"),
    ),
  );
}

/** @param {any} pulse */
function onPulse(pulse) {
  latest = pulse;
  const { leader } = pulse;
  setText(live, `Live · ${clock(pulse.time)}`);
  live.classList.remove("broken");
  setText(
    /** @type {HTMLElement} */ (document.getElementById("facts")),
    `Hemi ${leader.version} · up ${age(pulse.time - leader.startedAt)}`,
  );
  shown?.update?.(pulse);
}

function onBroken() {
  setText(live, latest === undefined ? "No connection" : `No data since ${clock(latest.time)}`);
  live.classList.add("broken");
  // A session may be over, and a stream does not say so.
  get("session").catch((error) => (error instanceof NoSession ? location.reload() : undefined));
}

/** @param {{ title: string }} session */
async function start({ title }) {
  program = title;
  setText(/** @type {HTMLElement} */ (document.getElementById("title")), program);
  nav.hidden = false;
  addEventListener("hashchange", () => void show());
  listen({ onPulse, onBroken });
  await show();
}

try {
  await start(await firstSession);
} catch (error) {
  if (!(error instanceof NoSession)) signIn(String(error instanceof Error ? error.message : error));
  else signIn(error.isRefused ? "This link is no longer valid: the program has been started anew since." : "");
}
