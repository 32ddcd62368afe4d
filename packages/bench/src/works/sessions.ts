// Requests a second that read a session and change it.

import { compare } from "../comparison.ts";
import { startBackend, startServer, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

export const sessions: readonly Work[] = [
  {
    name: "a session in Redis, read and changed",
    needs: ["wrk", "redis-server"],
    async run(settings) {
      await using redis = await startBackend(servers.redis);
      const env = { REDIS_PORT: String(redis.port) };
      await using our = await startServer(servers.hemi("sessions.conf", "session-pack.ts"), { env });
      await using their = await startServer(servers.node("express-sessions.ts"), { env });
      // Both get both cookies: each knows its own.
      const headers = [`Cookie: ${await cookieOf(our)}; ${await cookieOf(their)}`];
      const same = { path: "/", theirPath: "/", isVaried: false, headers };
      const { ours, theirs, ratio, spread } = await compare(our, their, { ...settings, ...same });
      return [
        {
          against: "express-session with connect-redis",
          ours: `${Math.round(ours)}/s`,
          theirs: `${Math.round(theirs)}/s`,
          figure: `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`,
          atLeast: "2.0",
          aim: "3",
        },
      ];
    },
  },
];

/** Of a new session. */
async function cookieOf({ port }: ServerProcess): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const [cookie = ""] = response.headers.getSetCookie().map((field) => field.split(";")[0]);
  if (cookie === "") throw new Error(`no session was made: ${response.status} ${await response.text()}`);
  return cookie;
}
