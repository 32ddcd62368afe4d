// A text with line numbers, and with notes under its lines. A line is no element of its own: there may be 100,000.

import { h } from "./dom.js";

/** Lines that are laid out together; those out of sight are not laid out at all. */
const chunk = 200;

/**
 * @param {string} text
 * @param {readonly { line: number, text: string, isWarning?: boolean }[]} [notes] Lines count from 1.
 * @param {number} [marked] A line that is shown first.
 */
export function sourceView(text, notes = [], marked = 0) {
  const lines = text.split("\n");
  const cuts = new Set([0, lines.length]);
  for (let at = chunk; at < lines.length; at += chunk) cuts.add(at);
  for (const { line } of notes) cuts.add(Math.min(line, lines.length));
  if (marked > 0) cuts.add(marked - 1).add(marked);
  const places = [...cuts].filter((at) => at >= 0 && at <= lines.length).sort((a, b) => a - b);
  const parts = places.slice(0, -1).flatMap((from, i) => {
    const to = places[i + 1] ?? from;
    const numbers = Array.from({ length: to - from }, (_, n) => from + n + 1).join("\n");
    const isMarked = from === marked - 1 && to === marked;
    const block = h(
      "div",
      { class: `lines${isMarked ? " marked" : ""}` },
      h("pre", { class: "numbers", "aria-hidden": "true" }, numbers),
      h("pre", { class: "text" }, lines.slice(from, to).join("\n")),
    );
    block.style.containIntrinsicBlockSize = `${(to - from) * 1.5}em`;
    return [block, ...notes.filter(({ line }) => Math.min(line, lines.length) === to).map(noteOf)];
  });
  const element = h(
    "div",
    { class: "source", tabindex: "0", role: "region", "aria-label": "Text with line numbers" },
    parts,
  );
  const first = element.querySelector(".marked, .mistake");
  if (first !== null) requestAnimationFrame(() => first.scrollIntoView({ block: "center" }));
  return element;
}

/** @param {{ line: number, text: string, isWarning?: boolean }} note */
function noteOf({ line, text, isWarning }) {
  return h("p", { class: isWarning ? "mistake warning" : "mistake" }, h("b", {}, `Line ${line}: `), text);
}
