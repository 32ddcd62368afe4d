// The control socket of a program: a UNIX socket for its own user only.

import { chmod, mkdir } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { Messenger } from "@hemi/common";
import { bindSocket, HemiError, type ErrorLog } from "@hemi/hemi/base";
import { readCachedUrl, readPurgeOrder } from "../caches/cache-actions.ts";
import { describeError } from "../describe-error.ts";
import { exitCodeOf } from "../exit-code.ts";
import { readProfileOrder } from "../observe/profile-order.ts";
import { callProgram } from "./client.ts";
import type { Actions } from "./actions.ts";

export type ActionHandlers = {
  readonly [Name in keyof Actions]: (
    params: Actions[Name]["params"],
  ) => Actions[Name]["result"] | Promise<Actions[Name]["result"]>;
};

export class ControlServer {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Listens. A socket that a killed program has left is replaced. Rejects with HEMI_PROCESS if another program listens
   * there, and with HEMI_LISTEN or HEMI_FILE.
   */
  static async open(path: string, handlers: ActionHandlers, log: ErrorLog): Promise<ControlServer> {
    await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
      throw new HemiError("HEMI_FILE", `the folder ${dirname(path)} cannot be made: ${String(cause)}`, { cause });
    });
    const bound = await bindSocket({ path }).catch(async (error: unknown) => {
      const other = await callProgram(path, "pids", undefined).catch(() => undefined);
      if (other === undefined) throw error;
      throw new HemiError(
        "HEMI_PROCESS",
        `another program runs with this --vars folder: its leader is process ${other.leader}; stop it, or choose another folder`,
      );
    });
    // Before anybody can connect.
    await chmod(path, 0o600);
    const server = createServer();
    const control = new ControlServer(server);
    server.on("connection", (socket) => control.#serve(socket, handlers, log));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(bound, resolve);
    await promise;
    return control;
  }

  close(): void {
    this.#server.close();
    for (const client of this.#clients) client.destroySoon();
  }

  #serve(socket: Socket, handlers: ActionHandlers, log: ErrorLog): void {
    if (this.#clients.size >= maxClients) {
      log.warn("refused a control connection", { reason: `${maxClients} are open` });
      return void socket.destroy();
    }
    this.#clients.add(socket);
    socket.once("close", () => this.#clients.delete(socket));
    // Whoever sends nothing must not hold its place for ever; a call may take longer.
    let calls = 0;
    socket.setTimeout(idleTime, () => (calls === 0 ? socket.destroy() : undefined));
    new Messenger(socket, {
      maxMessage,
      serve: async (name, params) => {
        calls++;
        try {
          return await handle(handlers, name, params);
        } catch (error) {
          throw Object.assign(new Error(describeError(error)), { details: exitCodeOf(error) });
        } finally {
          calls--;
        }
      },
      closed: (error) => {
        if (error !== undefined) log.warn("closed a control connection", { reason: error.message });
      },
    });
  }
}

async function handle(handlers: ActionHandlers, name: string, params: unknown): Promise<unknown> {
  if (!isAction(handlers, name)) throw new HemiError("HEMI_USAGE", `there is no action ${name}`);
  return await callHandler(handlers, name, params);
}

function isAction(handlers: ActionHandlers, name: string): name is keyof Actions {
  return Object.hasOwn(handlers, name);
}

function callHandler<Name extends keyof Actions>(handlers: ActionHandlers, name: Name, params: unknown): unknown {
  return handlers[name](readers[name](params));
}

const none = (): undefined => undefined;

/** Check what a client sends. */
const readers: { readonly [Name in keyof Actions]: (params: unknown) => Actions[Name]["params"] } = {
  pids: none,
  leader: none,
  workers: none,
  version: none,
  plan: planParams,
  reload: none,
  rework: none,
  reopen: none,
  counts: none,
  profile: readProfileOrder,
  cachePurge: readPurgeOrder,
  cacheExplain: readCachedUrl,
  quit: none,
  stop: none,
};

function planParams(params: unknown): Actions["plan"]["params"] {
  const config: unknown =
    typeof params === "object" && params !== null && "config" in params ? params.config : undefined;
  if (config === undefined) return undefined;
  if (typeof config !== "string") throw new HemiError("HEMI_USAGE", "config is the path of a configuration file");
  return { config };
}

const maxClients = 64;
/** In milliseconds. */
const idleTime = 60_000;
/** In bytes. */
const maxMessage = 1024 * 1024;
