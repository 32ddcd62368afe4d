// The process of the web UI: serves what the leader shows, and ends with it, or when nobody looks any more.

import { Channel } from "./channel/channel.ts";
import type { NoCalls } from "./channel/calls.ts";
import type { LeaderViewCalls } from "./webui/calls.ts";
import { serveUI } from "./webui/serve-ui.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const)
  process.on(signal, () => {});
process.on("disconnect", () => process.exit(0));
await serveUI(new Channel<LeaderViewCalls, NoCalls>(process, {}));
process.exit(0);
