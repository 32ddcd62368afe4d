// Requests as they come, filtered at the source; the trace of one; and what would become of one.

import { get, post } from "./api.js";
import { componentHref } from "./component-list.js";
import { h, setText } from "./dom.js";
import { bytes, clock, time } from "./format.js";

const maxRows = 300;
const columns = ["Time", "Status", "Method", "Host and path", "Duration", "Component"];

/** @param {HTMLElement} section */
export function open(section) {
  const body = h("tbody", {});
  const status = h("span", { role: "status", class: "muted" });
  const details = h("div", { "aria-live": "polite" });
  const fields = {
    path: field("path", "Path begins with", "/api/"),
    status: field("status", "Status", "5xx"),
    slow: field("slow", "Slower than, ms", "200"),
  };
  const pause = h("button", { type: "button", "aria-pressed": "false" }, "Pause");
  const form = h(
    "form",
    { class: "tools" },
    Object.values(fields),
    h("button", { class: "primary" }, "Apply"),
    pause,
    status,
  );
  section.append(
    h("h1", {}, "Requests"),
    form,
    h(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Requests" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            columns.map((name) => h("th", { scope: "col", class: name === "Duration" ? "number" : "" }, name)),
          ),
        ),
        body,
      ),
    ),
    details,
    explainForm(),
  );

  /** @type {EventSource | undefined} */
  let stream;
  let isPaused = false;
  let count = 0;
  const start = () => {
    stream?.close();
    const values = Object.entries(fields).map(([name, label]) => [name, valueOf(label)]);
    stream = new EventSource(`/api/requests?${new URLSearchParams(values.filter(([, value]) => value !== ""))}`);
    setText(status, "Waiting for requests …");
    stream.onmessage = ({ data }) => {
      const { lines, lost } = JSON.parse(data);
      count += lines.length + lost;
      if (isPaused) return;
      body.prepend(...lines.reverse().map((/** @type {any} */ line) => rowOf(line, details)));
      while (body.childElementCount > maxRows) body.lastElementChild?.remove();
      setText(status, `${count.toLocaleString("en-US")} since you look${lost > 0 ? "; too many to show all" : ""}`);
    };
    stream.onerror = () => setText(status, "No connection, or a filter that the program refuses");
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    count = 0;
    body.replaceChildren();
    start();
  });
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    setText(pause, isPaused ? "Go on" : "Pause");
  });
  start();
  return { close: () => stream?.close() };
}

/** @param {string} name @param {string} title @param {string} example */
function field(name, title, example) {
  return h("label", {}, `${title} `, h("input", { name, placeholder: example, size: 8 }));
}

/** @param {Element} label */
function valueOf(label) {
  return /** @type {HTMLInputElement} */ (label.querySelector("input")).value.trim();
}

/** @param {any} line @param {Element} details */
function rowOf(line, details) {
  const { time: at, status, method, authority, uri, totalTime, component } = line;
  const show = h(
    "button",
    { type: "button", class: "link", onclick: () => showDetails(line, details) },
    `${authority}${uri}`,
  );
  return h(
    "tr",
    {},
    h("td", {}, clock(Date.parse(at))),
    h("td", { class: status >= 500 ? "bad" : "" }, String(status)),
    h("td", {}, method),
    h("th", { scope: "row" }, show),
    h("td", { class: "number" }, time(totalTime)),
    h("td", {}, h("a", { class: "quiet", href: componentHref(component) }, component)),
  );
}

/** @param {any} line @param {Element} details */
async function showDetails(line, details) {
  const facts = {
    Request: `${line.method} ${line.scheme}://${line.authority}${line.uri}`,
    Client: `${line.srcHost}:${line.srcPort}, ${line.userAgent || "no user-agent"}`,
    Response: `${line.status}, ${bytes(line.contentSent)}, ${line.endReason}`,
    Times: `head ${time(line.headTime)}, handled in ${time(line.handleTime)}, sent in ${time(line.sendTime)}`,
    Together: time(line.totalTime),
    Node: line.node ? `${line.node}, ${line.attempts} attempts, ${time(line.nodeTime)}` : "none",
    "Request id": line.requestId,
    Trace: line.traceId || "not traced",
  };
  const trace = h("pre", { class: "walk", tabindex: "0" });
  details.replaceChildren(
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "One request"),
      h(
        "dl",
        { class: "rows" },
        Object.entries(facts).map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))),
      ),
      trace,
    ),
  );
  details.scrollIntoView({ block: "nearest" });
  try {
    trace.textContent = (await get("trace", { id: line.requestId })).text;
  } catch (error) {
    trace.textContent = error instanceof Error ? error.message : String(error);
  }
}

function explainForm() {
  const method = /** @type {HTMLInputElement} */ (h("input", { id: "method", value: "GET", size: 7 }));
  const url = /** @type {HTMLInputElement} */ (
    h("input", { id: "url", type: "text", required: true, placeholder: "http://shop.example/path" })
  );
  const fields = /** @type {HTMLTextAreaElement} */ (
    h("textarea", { id: "fields", rows: 2, placeholder: "accept: text/html" })
  );
  const result = h("pre", { class: "walk", tabindex: "0", role: "status" });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const { text } = await post("explain", {
        method: method.value || "GET",
        url: url.value,
        headers: headersOf(fields.value),
      });
      result.textContent = text;
    } catch (error) {
      result.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Explain a request"),
    h("p", { class: "muted" }, "Which server, hostname, rule and handlet would get it, and why. Nothing is done."),
    h(
      "form",
      { class: "explain", onsubmit: submit },
      h("label", { for: "method" }, "Method"),
      method,
      h("label", { for: "url" }, "URL"),
      url,
      h("label", { for: "fields" }, "Header fields"),
      fields,
      h("button", { class: "primary" }, "Explain"),
    ),
    result,
  );
}

/** @param {string} text One field a line. */
function headersOf(text) {
  /** @type {Record<string, string[]>} */
  const headers = {};
  for (const line of text.split("\n")) {
    const [, name, value] = /^([^:\s]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) (headers[name.toLowerCase()] ??= []).push(value);
  }
  return headers;
}
