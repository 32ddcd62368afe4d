// Asks before something is done that others feel.

import { h } from "./dom.js";

/**
 * Resolves to whether it was done. A failure is shown in the dialog.
 *
 * @param {string} title
 * @param {string | Node} text
 * @param {string} verb What the button says.
 * @param {() => Promise<unknown>} perform
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, verb, perform) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("confirm"));
  const failure = h("p", { class: "bad", role: "alert" });
  const { promise, resolve } = Promise.withResolvers();
  let isDone = false;
  const doIt = h("button", { class: "primary", type: "button" }, verb);
  doIt.addEventListener("click", async () => {
    doIt.setAttribute("disabled", "");
    doIt.textContent = "Working …";
    try {
      await perform();
      isDone = true;
      dialog.close();
    } catch (error) {
      failure.textContent = error instanceof Error ? error.message : String(error);
      doIt.removeAttribute("disabled");
      doIt.textContent = verb;
    }
  });
  dialog.replaceChildren(
    h("h2", { id: "confirm-title" }, title),
    typeof text === "string" ? h("p", {}, text) : text,
    failure,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => dialog.close(), autofocus: true }, "Cancel"),
      doIt,
    ),
  );
  dialog.addEventListener("close", () => resolve(isDone), { once: true });
  dialog.showModal();
  return promise;
}
