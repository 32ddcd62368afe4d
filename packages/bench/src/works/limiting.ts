// What it costs that all workers of a machine count together.

import { compare, ratioResult } from "../comparison.ts";
import { startServer } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

export const limiting: Work = {
  name: "limiter, machine scope",
  needs: ["wrk"],
  async run(settings) {
    const command = servers.hemiWithLeader("limiter.conf", "page-pack.ts");
    await using ours = await startServer(command, { env: { SCOPE: "machine" } });
    await using theirs = await startServer(command, { env: { SCOPE: "worker" } });
    const comparison = await compare(ours, theirs, { ...settings, path: "/", theirPath: "/", isVaried: false });
    return [ratioResult(comparison, { against: "worker scope", atLeast: "0.9", aim: "0.97" })];
  },
};
