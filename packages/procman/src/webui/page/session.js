// Signs in, and follows the program from then on. It begins as soon as it is loaded, before the rest of the page is
// there: what a first visitor waits for longest is what is asked of the program.

import { follow, get, NoSession, post } from "./api.js";

/**
 * @typedef {object} Listener
 * @property {(pulse: any) => void} onPulse Called once a second.
 * @property {() => void} onBroken
 */

/** @type {Listener | undefined} */
let listener;
/** @type {any} */
let latest;
let isFollowing = false;

/** Opens a session; `undefined`: the token is wrong. @param {string} token */
export async function sessionOf(token) {
  const session = await post("session", { token }).catch(() => undefined);
  if (session !== undefined) begin();
  return session;
}

/** Calls back with what happens in the program, at first with what has happened last. @param {Listener} added */
export function listen(added) {
  listener = added;
  if (latest !== undefined) added.onPulse(latest);
}

/** Of the link, or of a cookie. Rejects if there is neither. */
async function open() {
  const token = takeToken();
  const opened = token === null ? undefined : await sessionOf(token);
  if (opened !== undefined) return opened;
  const session = await get("session").catch((error) => {
    if (error instanceof NoSession) error.isRefused = token !== null;
    throw error;
  });
  begin();
  return session;
}

function begin() {
  if (isFollowing) return;
  isFollowing = true;
  follow(
    (pulse) => {
      latest = pulse;
      listener?.onPulse(pulse);
    },
    () => listener?.onBroken(),
  );
}

/** The token of the link; it shall not stand in the history of the browser. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(null, "", "#/stage");
  return token;
}

/**
 * The session with which the page begins. Rejects with NoSession, whose `isRefused` says whether the link had a token.
 *
 * @type {Promise<{ title: string }>}
 */
export const firstSession = open();
// Whoever waits for it gets the reason.
firstSession.catch(() => {});
