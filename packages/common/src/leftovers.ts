// Finds what a piece of a program has opened and not closed: timers, watchers, listening sockets, connections, datagram
// sockets, threads and child processes. For development and tests: while it looks, every asynchronous operation of the
// process costs more.
//
// What is opened in `opening`, and in what runs because of it, belongs to the owner. It does not see what is opened on
// behalf of a peer, because a connection belongs to no owner, and no open files: the runtime does not report these.

import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** Something that is open. */
interface Opened {
  readonly owner: object;
  /** `a timer, at main (file:///srv/app.ts:12:5)` */
  readonly text: string;
}

const owners = new AsyncLocalStorage<object>();
const opened = new Map<number, Opened>();
let isLooking = false;

/** By the type of the runtime. */
const kinds: ReadonlyMap<string, string> = new Map([
  ["Timeout", "a timer"],
  ["FSEVENTWRAP", "a watcher of files"],
  ["STATWATCHER", "a watcher of a file"],
  ["TCPSERVERWRAP", "a listening socket"],
  ["PIPESERVERWRAP", "a listening socket"],
  ["TCPWRAP", "a connection"],
  ["PIPEWRAP", "a connection"],
  ["UDPWRAP", "a datagram socket"],
  ["WORKER", "a thread"],
  ["PROCESSWRAP", "a child process"],
]);

/** From now on, for the rest of the process. */
export function lookForLeftovers(): void {
  if (isLooking) return;
  isLooking = true;
  createHook({
    init: function init(id, type) {
      const kind = kinds.get(type);
      const owner = kind === undefined ? undefined : owners.getStore();
      if (kind !== undefined && owner !== undefined) opened.set(id, { owner, text: `${kind}${placeOfCaller(init)}` });
    },
    destroy: (id) => void opened.delete(id),
  }).enable();
}

/** Runs a step of the owner. */
export function opening<Result>(owner: object, step: () => Result): Result {
  return isLooking ? owners.run(owner, step) : step();
}

/** Runs a step that opens something for several owners: it belongs to none of them. */
export function sharing<Result>(step: () => Result): Result {
  return isLooking ? owners.exit(step) : step();
}

/** What the owner has left, when it should have closed everything. Empty if nobody looks. */
export async function leftBy(owner: object): Promise<readonly string[]> {
  const rest = (): readonly Opened[] => [...opened.values()].filter((one) => one.owner === owner);
  // What was closed just now is reported a moment later.
  for (let wait = 0; isLooking && rest().length > 0 && wait < closeTime; wait += closeTime / 10)
    await sleep(closeTime / 10);
  return rest().map(({ text }) => text);
}

/** The line of code that opened it: the first one below `above` that is none of the runtime. */
function placeOfCaller(above: (id: number, type: string) => void): string {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, above);
  const frames = (trace.stack ?? "").split("\n").slice(1);
  const frame = frames.find((line) => !line.includes("(node:") && !line.includes("at node:"));
  return frame === undefined ? "" : `, ${frame.trim()}`;
}

/** In milliseconds. */
const closeTime = 500;
