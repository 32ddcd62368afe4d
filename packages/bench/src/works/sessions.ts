// Requests a second that read a session and change it.

import { compare, ratioResult } from "../comparison.ts";
import { startBackend, startServer, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Result, Settings, Work } from "../work.ts";

export const sessions: readonly Work[] = [
  {
    name: "a session on the machine, read and changed",
    needs: ["wrk"],
    async run(settings) {
      await using our = await startServer(servers.hemiWithLogs("local-sessions.conf", "session-pack.ts"));
      await using their = await startServer(servers.node("express-local-sessions.ts"));
      return [await compared(our, their, settings, "express-session with better-sqlite3", "4")];
    },
  },
  {
    name: "a session in Redis, read and changed",
    needs: ["wrk", "redis-server"],
    async run(settings) {
      await using redis = await startBackend(servers.redis);
      const env = { REDIS_PORT: String(redis.port) };
      await using our = await startServer(servers.hemi("sessions.conf", "session-pack.ts"), { env });
      await using their = await startServer(servers.node("express-sessions.ts"), { env });
      return [await compared(our, their, settings, "express-session with connect-redis", "3")];
    },
  },
];

async function compared(
  our: ServerProcess,
  their: ServerProcess,
  settings: Settings,
  against: string,
  aim: string,
): Promise<Result> {
  const cookies: string[] = [];
  // Both get both cookies: each knows its own.
  for (let i = 0; i < clients; i++) cookies.push(`${await cookieOf(our)}; ${await cookieOf(their)}`);
  const same = { path: "/", theirPath: "/", isVaried: false, cookies };
  return ratioResult(await compare(our, their, { ...settings, ...same }), { against, atLeast: "2.0", aim });
}

/** More than there are connections: what one client asks for at once is another matter. */
const clients = 256;

/** Of a new session. */
async function cookieOf({ port }: ServerProcess): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const [cookie = ""] = response.headers.getSetCookie().map((field) => field.split(";")[0]);
  if (cookie === "") throw new Error(`no session was made: ${response.status} ${await response.text()}`);
  return cookie;
}
