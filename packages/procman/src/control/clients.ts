// The clients of a program: connections that call its actions, over whichever socket they came.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { Messenger } from "@hemi/common";
import { HemiError, type ErrorLog } from "@hemi/hemi/base";
import { describeError } from "../describe-error.ts";
import { exitCodeOf } from "../exit-code.ts";
import type { Audit } from "../webui/audit.ts";
import type { Act } from "./handlers.ts";

export interface ControlClientsOptions {
  readonly act: Act;
  /** Notes what clients change. */
  readonly audit: Audit;
  /** What a client must give first, by the call `login`. Default: nothing, for a socket that only its user can open. */
  readonly token?: string;
  readonly log: ErrorLog;
}

export class ControlClients {
  readonly #options: ControlClientsOptions;
  readonly #clients = new Set<Socket>();

  constructor(options: ControlClientsOptions) {
    this.#options = options;
  }

  /** Serves a connection until it ends. One too many is closed. */
  serve(socket: Socket): void {
    const { act, audit, token, log } = this.#options;
    if (this.#clients.size >= maxClients) {
      log.warn("refused a control connection", { reason: `${maxClients} are open` });
      return void socket.destroy();
    }
    this.#clients.add(socket);
    socket.once("close", () => this.#clients.delete(socket));
    let isKnown = token === undefined;
    let calls = 0;
    // Whoever sends nothing must not hold its place for ever; a call may take longer.
    socket.setTimeout(isKnown ? idleTime : loginTime, () => (calls === 0 ? socket.destroy() : undefined));

    function login(params: unknown): null {
      isKnown = token === undefined || (isLogin(params) && isSame(params.token, token));
      if (isKnown) {
        socket.setTimeout(idleTime);
        return null;
      }
      log.warn("refused a control connection: its token is wrong", { from: socket.remoteAddress });
      throw new HemiError("HEMI_USAGE", "the token is wrong");
    }

    async function call(name: string, params: unknown): Promise<unknown> {
      if (name === "login") return login(params);
      if (!isKnown) throw new HemiError("HEMI_USAGE", "the first call is login, with a token");
      const by = socket.remoteAddress === undefined ? "a command" : `a command from ${socket.remoteAddress}`;
      return await audit.watch(by, name, params, () => act(name, params));
    }

    new Messenger(socket, {
      maxMessage,
      serve: async (name, params) => {
        calls++;
        try {
          return await call(name, params);
        } catch (error) {
          // After the answer.
          if (!isKnown) setImmediate(() => socket.destroySoon());
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

  close(): void {
    for (const client of this.#clients) client.destroySoon();
  }
}

function isLogin(params: unknown): params is { readonly token: string } {
  return typeof params === "object" && params !== null && "token" in params && typeof params.token === "string";
}

/** Takes the same time wherever the two differ. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

const maxClients = 64;
/** In milliseconds. */
const idleTime = 60_000;
const loginTime = 5000;
/** In bytes. */
const maxMessage = 1024 * 1024;
