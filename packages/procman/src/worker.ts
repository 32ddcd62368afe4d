// A worker process. The leader starts it and talks to it over the IPC channel; it ends when the leader is gone.

import { flushCompileCache } from "node:module";
import { HemiError } from "@hemi/hemi/base";
import { Channel } from "./channel/channel.ts";
import { assertSameProtocol, protocolVersion, type LeaderCalls, type WorkerCalls } from "./channel/calls.ts";
import { exitCodes, exitCodeOf } from "./exit-code.ts";
import type { FellowWorkers } from "./worker/fellow-workers.ts";
import { Serving } from "./worker/serving.ts";
import { WorkerOrders } from "./worker/worker-orders.ts";

let serving: Serving | undefined;
/** From before the boot is done: what it has asked the leader may change meanwhile. */
let fellows: FellowWorkers | undefined;
let grace = 4000;
let isEnding = false;

function running(): Serving {
  if (serving === undefined) throw new HemiError("HEMI_STAGE_STATE", "the worker does not serve yet");
  return serving;
}

const leader: Channel<LeaderCalls, WorkerCalls> = new Channel<LeaderCalls, WorkerCalls>(process, {
  async boot(params) {
    assertSameProtocol(params.version, "leader");
    grace = params.options.grace;
    const booted = await Serving.boot(params, leader, orders, (own) => (fellows = own));
    ({ serving } = booted);
    // A process that is killed leaves no compiled code to those that come after it, and the first start has none.
    setTimeout(flushCompileCache, settleTime).unref();
    return { version: protocolVersion, config: booted.config };
  },
  prepare: (params) => running().prepare(params),
  commit: () => running().commit(),
  discard: () => running().discard(),
  async quit(params) {
    void end(params.grace, exitCodes.fine);
    await serving?.stopListening();
    return undefined;
  },
  stop() {
    process.exit(exitCodes.fine);
  },
  reopen: () => running().reopen(),
  cost: (params) => running().cost(params),
  usage: () => running().usage(),
  explain: (params) => running().explain(params),
  components: (params) => running().components(params),
  props: (params) => running().props(params),
  modules: () => running().modules,
  leaderLogged(entries) {
    for (const entry of entries) serving?.log.relay(entry);
  },
  count() {
    running().count();
  },
  summed(news) {
    fellows?.summed(news);
  },
  limits: () => running().limits(),
  measure: (order) => running().measure(order),
  profile: (order) => running().profile(order),
  backends: () => orders.operator.nodes.reports(),
  findPath: (params) => running().findPath(params),
  story: ({ requestId }) => orders.operator.requests.find(requestId) ?? null,
  orders(wanted) {
    orders.replace(wanted);
  },
  standing(standing) {
    fellows?.stands(standing);
  },
  secret({ name, secret }) {
    fellows?.renewed(name, secret);
  },
  cachePurge: (order) => running().cachePurge(order),
  cacheExplain: (wanted) => running().cacheExplain(wanted),
  cronList: () => running().cronList(),
  cronPreview: (order) => running().cronPreview(order),
  cronRun: ({ name }) => running().cronRun(name),
  cronHistory: ({ name }) => running().cronHistory(name),
  deliver(message) {
    fellows?.deliver(message);
  },
});

/** They come before anything serves. */
const orders = new WorkerOrders((lines) => leader.call("accessLines", lines));

/** Finishes what runs, and exits. */
async function end(patience: number, code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  try {
    await serving?.quit(patience);
    leave(code);
  } catch (error) {
    serving?.log.error("did not end in order", { error });
    serving?.log.flushSync();
    process.exit(exitCodeOf(error));
  }
}

/** Components close what they open; but a forgotten timer must not keep the process running after its end. */
function leave(code: number): void {
  process.exitCode = code;
  if (serving === undefined) process.exit();
  if (process.connected) process.disconnect();
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`hemi: a worker ended, though something was not closed: ${held}\n`);
    process.exit();
  }, leaveTime).unref();
}

/** In milliseconds. */
const settleTime = 2000;
const leaveTime = 1000;

// A terminal sends its signals to all processes of the program. What they mean is decided by the leader.
for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const)
  process.on(signal, () => {});

process.on("disconnect", () => {
  if (isEnding) return;
  serving?.log.error("the leader is gone: the worker finishes what runs, and ends");
  void end(grace, exitCodes.fine);
});

function onThrown(thrown: unknown): void {
  const message = "something was thrown that nothing caught: the worker ends";
  if (serving === undefined)
    process.stderr.write(`hemi: ${message}: ${String(thrown instanceof Error ? thrown.stack : thrown)}\n`);
  serving?.log.error(message, { error: thrown });
  if (isEnding || serving === undefined) process.exit(exitCodes.crashed);
  void end(grace, exitCodes.crashed);
}
process.on("uncaughtException", onThrown);
process.on("unhandledRejection", onThrown);
