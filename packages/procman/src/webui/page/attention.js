// What somebody who is on call should look at first.

import { percent, rate, time } from "./format.js";

/**
 * Sentences, each with the page that tells more.
 *
 * @param {any} pulse
 * @returns {{ text: string, href: string }[]}
 */
export function concerns({ leader, workers, activity, backends = [] }) {
  const found = [];
  const ready = workers.filter((/** @type {any} */ { state }) => state === "ready").length;
  if (ready < leader.slots)
    found.push({ text: `${leader.slots - ready} of ${leader.slots} workers are not ready`, href: "#/workers" });
  for (const { slot, loop, loopDelay } of activity.workers) {
    if (loop > 0.9) found.push({ text: `Worker ${slot} is busy ${percent(loop)} of the time`, href: "#/workers" });
    else if (loopDelay > 200)
      found.push({ text: `The event loop of worker ${slot} is late by ${time(loopDelay)}`, href: "#/workers" });
  }
  const { requests, attempts, conns } = activity.totals;
  if (requests.errorRate > Math.max(0.2, requests.rate * 0.01))
    found.push({ text: `${rate(requests.errorRate)} responses per second are errors (5xx)`, href: "#/requests" });
  if (attempts.errorRate > 0.2)
    found.push({ text: `${rate(attempts.errorRate)} attempts per second at nodes fail`, href: "#/backends" });
  if (conns.errorRate > 0)
    found.push({ text: "Connections are refused: too many are open", href: "#/stage/webServers" });
  for (const { name, nodes } of backends) {
    const bad = nodes.filter((/** @type {any} */ { state }) => state !== "up" && state !== "drained");
    if (bad.length > 0)
      found.push({ text: `${bad.length} of ${nodes.length} nodes of ${name} are not up`, href: "#/backends" });
  }
  return found;
}
