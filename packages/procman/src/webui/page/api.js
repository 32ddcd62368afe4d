// What is asked of the program, and the stream of what happens in it.

/** The session is over, or there is none. */
export class NoSession extends Error {
  /** Whether a link was tried whose token is not valid any more. */
  isRefused = false;
}

/**
 * @param {string} path
 * @param {Record<string, string | number | undefined>} [query]
 * @returns {Promise<any>}
 */
export async function get(path, query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  return await answerOf(await fetch(`/api/${path}?${params}`));
}

/**
 * @param {string} path
 * @param {object} content
 * @returns {Promise<any>}
 */
export async function post(path, content) {
  const headers = { "content-type": "application/json" };
  return await answerOf(await fetch(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(content) }));
}

/** Calls an action of the program. Rejects with its reason. @param {string} name @param {object} [params] */
export async function act(name, params = {}) {
  return (await post(`act/${name}`, params)).result;
}

/** @param {Response} response */
async function answerOf(response) {
  if (response.status === 401) throw new NoSession("The session is over.");
  const isJSON = response.headers.get("content-type")?.startsWith("application/json");
  const content = isJSON ? await response.json() : await response.text();
  if (!response.ok) throw new Error(content.error ?? `The program answers ${response.status}.`);
  return content;
}

/**
 * Follows the program while the tab can be seen: a browser has few connections for one host, and hidden tabs would
 * hold them all.
 *
 * @param {(pulse: any) => void} onPulse
 * @param {() => void} onBroken
 */
export function follow(onPulse, onBroken) {
  /** @type {EventSource | undefined} */
  let stream;
  const open = () => {
    if (document.hidden || stream !== undefined) return;
    stream = new EventSource("/api/events");
    stream.onmessage = ({ data }) => onPulse(JSON.parse(data));
    stream.onerror = () => {
      onBroken();
      // An answer other than 200 ends it for good.
      if (stream?.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(open, 3000);
    };
  };
  const close = () => {
    stream?.close();
    stream = undefined;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
}
