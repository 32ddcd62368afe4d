// The thread that watches the event loop of its process: see watch-loop.ts.

import { writeSync } from "node:fs";
import { Session, type Debugger } from "node:inspector";
import { workerData } from "node:worker_threads";
import { setTimeout as sleep } from "node:timers/promises";

export interface StallReportOptions {
  /** The first element grows while the loop runs. */
  readonly beats: Int32Array;
  /** In milliseconds. */
  readonly limit: number;
  readonly format: "text" | "json";
}

/** How long the interrupted thread may take to answer, in milliseconds. */
const patience = 2000;

const maxFrames = 12;

/** `GET /path, id`; anything but a text if there is no request in the frame. */
const expression = `typeof req === "object" && req !== null && typeof req.encodedPath === "string" ? req.method + " " + req.encodedPath + ", " + req.id : undefined`;

const { beats, limit, format } = workerData as StallReportOptions;

/** Where the main thread stands: stack frames as in a stack trace, and what is known of the request. */
interface Stand {
  readonly frames: readonly string[];
  readonly request: string | undefined;
}

let seen = Atomics.load(beats, 0);
let since = performance.now();
for (;;) {
  await sleep(Math.min(limit / 4, 500));
  const now = Atomics.load(beats, 0);
  if (now !== seen) {
    seen = now;
    since = performance.now();
  } else if (performance.now() - since > limit) {
    report(await Promise.race([whereItStands(), sleep(patience).then(() => undefined)]));
    process.kill(process.pid, "SIGKILL");
  }
}

function report(stand: Stand | undefined): void {
  const message = `the event loop stood still for ${limit} ms: the worker is killed and replaced`;
  const at = stand?.frames ?? ["unknown: it is in a synchronous call of native code, which cannot be interrupted"];
  const time = new Date().toISOString();
  const line =
    format === "json"
      ? `${JSON.stringify({ time, level: "error", path: "", message, at, request: stand?.request })}\n`
      : `${time} error ${message}\n${stand?.request === undefined ? "" : `    request ${stand.request}\n`}${at.map((frame) => `    at ${frame}\n`).join("")}`;
  writeSync(2, line);
}

/** Interrupts the main thread. Never settles if it cannot be interrupted. */
function whereItStands(): Promise<Stand> {
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
  return promise;
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
