// The thread that watches the event loop of its process: see watch-loop.ts.

import { writeSync } from "node:fs";
import type { Debugger, Session } from "node:inspector";
import { workerData } from "node:worker_threads";
import { setTimeout as sleep } from "node:timers/promises";
import { queueTimeReader } from "./queue-time.ts";
import { StallClock } from "./stall-clock.ts";

export interface WatchedLoop {
  /** The first element grows while the loop turns. 0: it need not turn now. */
  readonly beats: Int32Array;
  /** How long it may stand still, in milliseconds; 0: for ever. */
  readonly limit: number;
  readonly format: "text" | "json";
  /** The process that has started this one. */
  readonly supervisor: number;
  /** How long the process may need to end in order when its supervisor is gone, in milliseconds. */
  readonly grace: number;
}

/** How long the interrupted thread may take to answer, in milliseconds of processor time, and of any time. */
const patience = 2000;
const maxPatience = 10_000;

const maxFrames = 12;

/** `GET /path, id`; anything but a text if there is no request in the frame. */
const expression = `typeof req === "object" && req !== null && typeof req.encodedPath === "string" ? req.method + " " + req.encodedPath + ", " + req.id : undefined`;

const { beats, limit, format, supervisor, grace } = workerData as WatchedLoop;

/** Between two looks, in milliseconds. */
const interval = limit === 0 ? 500 : Math.min(limit / 4, 500);
/** In milliseconds. */
const pollTime = 100;
/** What the end of a process takes beside its grace, in milliseconds: as much as a supervisor waits for it. */
const extraGrace = 8000;
/** A process that does not serve yet ends at once, if its loop turns. In milliseconds. */
const bootGrace = 1000;

/** Where the main thread stands: stack frames as in a stack trace, and what is known of the request. */
interface Stand {
  readonly frames: readonly string[];
  readonly request: string | undefined;
}

const queueTime = queueTimeReader();
const clock = new StallClock(interval, performance.now(), queueTime());
/** How long the process has been an orphan, in milliseconds. */
let orphaned = 0;
for (;;) {
  await sleep(interval);
  const beat = Atomics.load(beats, 0);
  const passed = clock.look(performance.now(), beat, queueTime());
  // An orphan has another parent.
  if (process.ppid !== supervisor) orphaned += passed;
  if (orphaned > (beat === 0 ? bootGrace : grace + extraGrace)) kill();
  if (limit > 0 && clock.stood > limit) {
    report(await Promise.race([whereItStands(), givenUp()]));
    kill();
  }
}

/** A process that gets little of a busy machine needs longer for its answer. */
async function givenUp(): Promise<undefined> {
  const end = performance.now() + maxPatience;
  const { user: from } = process.cpuUsage();
  while (performance.now() < end && process.cpuUsage().user - from < patience * 1000) await sleep(pollTime);
  return undefined;
}

/** Whatever the process is doing. */
function kill(): void {
  process.kill(process.pid, "SIGKILL");
}

function report(stand: Stand | undefined): void {
  const message = `the event loop stood still for ${limit} ms: the worker is killed and replaced`;
  const at = stand?.frames ?? ["unknown: it is in a synchronous call of native code, which cannot be interrupted"];
  const time = new Date().toISOString();
  const request = stand?.request;
  const details = [...(request === undefined ? [] : [`request ${request}`]), ...at.map((frame) => `at ${frame}`)];
  const line =
    format === "json"
      ? `${JSON.stringify({ time, level: "error", path: "", message, at, request })}\n`
      : `${time} error ${message}\n${details.map((detail) => `    ${detail}\n`).join("")}`;
  writeSync(2, line);
}

/** Interrupts the main thread. Never settles if it cannot be interrupted. */
async function whereItStands(): Promise<Stand> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connectToMainThread();
  const { promise, resolve } = Promise.withResolvers<Stand>();
  // Frames name their scripts by id alone.
  const urls = new Map<string, string>();
  session.on("Debugger.scriptParsed", ({ params: { scriptId, url } }) => urls.set(scriptId, url));
  session.on("Debugger.paused", ({ params: { callFrames } }) => {
    void requestAmong(session, callFrames).then((request) => resolve({ frames: framesOf(callFrames, urls), request }));
  });
  session.post("Debugger.enable", () => session.post("Debugger.pause"));
  return await promise;
}

function framesOf(frames: readonly Debugger.CallFrame[], urls: ReadonlyMap<string, string>): readonly string[] {
  return frames
    .map(({ functionName, location }) => {
      const url = urls.get(location.scriptId) ?? "";
      const place = `${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
      return { url, text: functionName === "" ? place : `${functionName} (${place})` };
    })
    .filter(({ url }) => !url.startsWith("node:"))
    .slice(0, maxFrames)
    .map(({ text }) => text);
}

/** A function of the engine that runs a handler has the request in a variable. */
async function requestAmong(session: Session, frames: readonly Debugger.CallFrame[]): Promise<string | undefined> {
  for (const { callFrameId } of frames.slice(0, maxFrames)) {
    const found = await new Promise<unknown>((resolve) => {
      session.post("Debugger.evaluateOnCallFrame", { callFrameId, expression, returnByValue: true }, (error, answer) =>
        resolve(error === null ? answer.result.value : undefined),
      );
    });
    if (typeof found === "string") return found;
  }
  return undefined;
}
