// A checker process: answers the calls of the process that started it, and ends with it.

import { Channel } from "./channel/channel.ts";
import type { CheckerCalls, NoCalls } from "./channel/calls.ts";
import { candidate } from "./checker/candidate.ts";
import { check } from "./checker/check.ts";
import { LoadedModules } from "./checker/loaded-modules.ts";
import { collectWhenIdle, growYoungGeneration } from "./memory/this-process.ts";
import { LoopWatch } from "./watch/watch-loop.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const)
  process.on(signal, () => {});
process.on("disconnect", () => process.exit(0));
// A module of the user may never come to an end: whoever waits for it kills this process, if it is still there.
new LoopWatch({ limit: 0, grace: 0, format: "text" });
// It is kept for the next check, with what the last one has left behind.
collectWhenIdle({ servesClients: false });
growYoungGeneration();
const modules = new LoadedModules();
new Channel<NoCalls, CheckerCalls>(process, {
  check: (params) => check(params),
  candidate,
  isOutdated: () => modules.haveChanged(),
});
