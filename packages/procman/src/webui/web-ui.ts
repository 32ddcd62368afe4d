// The web UI in the leader: it listens, and passes connections to a process of its own, which is started for the first
// one and ends when nobody looks any more. So the leader loads no HTTP server, and does not suffer from its faults.
//
//   browser ──connects──> WebUI (leader) ──socket──> UI process: a small stage of Hemi's own
//                            ^                           │
//                            └── what is shown, actions ─┘

import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { bindSocket, placeOf, type ErrorLog } from "@hemi/hemi/base";
import { Channel, WithHandle } from "../channel/channel.ts";
import type { NoCalls } from "../channel/calls.ts";
import { endOf, startChild, type ChildOptions } from "../leader/child-process.ts";
import { rawHandle } from "../leader/raw-handle.ts";
import { RestartDelay } from "../leader/restart-delay.ts";
import type { LeaderViewCalls, UISettings } from "./calls.ts";
import type { ProgramView } from "./program-view.ts";

export interface WebUIOptions {
  /** A loopback address. */
  readonly address: { readonly host: string; readonly port: number };
  /** The name of the program. */
  readonly title: string;
  readonly view: ProgramView;
  readonly children: ChildOptions;
  readonly logFormat: "text" | "json";
  readonly logFile: string | undefined;
  readonly log: ErrorLog;
}

export class WebUI {
  readonly #options: WebUIOptions;
  readonly #server: Server;
  readonly #settings: UISettings;
  readonly #delay = new RestartDelay();
  /** Connections that the process has not asked for yet. */
  readonly #waiting: Socket[] = [];
  /** The process asks for the next connection. */
  #asker: ((socket: Socket) => void) | undefined;
  /** The connection that was passed last: it is closed here when the process has it. */
  #passed: Socket | undefined;
  #end: (() => void) | undefined;
  #isClosed = false;

  private constructor(options: WebUIOptions, server: Server, settings: UISettings) {
    this.#options = options;
    this.#server = server;
    this.#settings = settings;
    server.on("connection", (socket) => this.#accepted(socket));
    // The runtime retries a failed accept.
    server.on("error", () => {});
  }

  /** Listens. Rejects with HEMI_LISTEN. */
  static async open(options: WebUIOptions): Promise<WebUI> {
    const { address, title, logFormat, logFile } = options;
    const bound = await bindSocket(address);
    const { port } = placeOf(bound);
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(bound, resolve);
    await promise;
    server.off("error", reject);
    const secrets = { token: randomBytes(32).toString("base64url"), sessionKey: randomBytes(32).toString("base64") };
    return new WebUI(options, server, { title, host: address.host, port, ...secrets, logFormat, logFile });
  }

  get origin(): string {
    const { host, port } = this.#settings;
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  /** What opens it. The token is behind the #, which browsers do not send: it is in no log of a proxy. */
  get link(): string {
    return `${this.origin}/#token=${this.#settings.token}`;
  }

  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    this.#passed?.destroy();
    this.#end?.();
    this.#options.view[Symbol.dispose]();
  }

  #accepted(socket: Socket): void {
    if (this.#waiting.length >= maxWaiting) return void socket.destroy();
    socket.on("error", () => {});
    this.#waiting.push(socket);
    this.#pass();
    if (this.#end === undefined) this.#start();
  }

  /** Of the next client that has not left meanwhile. */
  async #nextHandle(): Promise<Socket> {
    for (;;) {
      const socket = await this.#next();
      if (!socket.destroyed) return rawHandle(socket);
    }
  }

  /** The process has the one before by now. */
  #next(): Promise<Socket> {
    this.#passed?.destroy();
    this.#passed = undefined;
    const { promise, resolve } = Promise.withResolvers<Socket>();
    this.#asker = resolve;
    this.#pass();
    return promise;
  }

  #pass(): void {
    const asker = this.#asker;
    if (asker === undefined) return;
    this.#passed = this.#waiting.shift();
    if (this.#passed === undefined) return;
    this.#asker = undefined;
    asker(this.#passed);
  }

  #start(): void {
    const { children, view } = this.#options;
    const startedAt = Date.now();
    this.#end = () => {};
    const child = this.#startChild(children);
    if (child === undefined) return;
    this.#end = () => void child.kill("SIGKILL");
    new Channel<NoCalls, LeaderViewCalls>(child, {
      ...view.calls,
      settings: () => this.#settings,
      conn: async () => new WithHandle(null, await this.#nextHandle()),
    });
    void endOf(child).then((reason) => {
      this.#ended(child.exitCode === 0 ? undefined : reason, Date.now() - startedAt);
    });
  }

  /** `undefined`: the system lacks what a process takes. It is tried again. */
  #startChild(children: ChildOptions): ChildProcess | undefined {
    try {
      return startChild("webui", children);
    } catch (error) {
      this.#ended(`could not be started: ${String(error)}`, 0);
      return undefined;
    }
  }

  /** `failure`: why, in words; `undefined`: nobody looked any more. */
  #ended(failure: string | undefined, lived: number): void {
    this.#asker = undefined;
    this.#passed?.destroy();
    this.#passed = undefined;
    if (this.#isClosed) return;
    if (failure !== undefined) this.#options.log.error(`the web UI ${failure}, and is started for the next visitor`);
    const delay = failure === undefined ? 0 : this.#delay.next(lived);
    setTimeout(() => {
      this.#end = undefined;
      if (this.#waiting.length > 0 && !this.#isClosed) this.#start();
    }, delay).unref();
  }
}

/** Connections while the process starts; one more is closed. */
const maxWaiting = 256;
