// A lane: one connection to Redis (in a cluster, one to each node), on which no command waits without a limit.
//
//   command ──> refused at once: not connected, its node owes an answer, or too many commands are under way
//        └────> sent ──> answer                         in time
//                   └──> RedisFailure, timeout          the answer is overdue until it comes, or the connection ends
//
// Large answers keep small ones behind them waiting: contents of cached responses have a lane of their own.

import { setTimeout as pause } from "node:timers/promises";
import type { ErrorLog } from "@hemi/internal";
import type { Argument, Client, Corkable } from "./client.ts";
import { messageOf, Outage, RedisFailure } from "./failure.ts";
import { listOf, textOf } from "./replies.ts";
import type { Script } from "./script.ts";
import { type SentCommand, SentCommands } from "./sent-commands.ts";

export interface LaneOptions {
  readonly makeClient: () => Client;
  /** In milliseconds and commands; live. */
  readonly limits: { readonly connectTimeout: number; readonly commandTimeout: number; readonly maxPending: number };
  readonly log: ErrorLog;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #outage: Outage;
  /** On the connection that there is: what is overdue on one before does not hold up this one. */
  #sent = new SentCommands();
  #client: Client | undefined;
  #opening: Promise<unknown> | undefined;
  /** What collects the commands of this turn of the event loop. */
  #collecting: Corkable | undefined;
  /** How many of them it holds back. */
  #collected = 0;
  /** Why there is no connection. */
  #failure: unknown = new RedisFailure("Redis is not connected yet");

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#outage = new Outage(options.log, { begins: "Redis is down", ends: "Redis answers again" });
  }

  /**
   * Connects, also in place of the connection that there is. Resolves with `undefined` when Redis answers, or, after
   * the time limit at the latest, with the reason why it does not: the lane goes on trying.
   */
  open(): Promise<unknown> {
    this.#opening = this.#open();
    return this.#opening;
  }

  /** Resolves when the first try to connect has ended, whichever way. */
  async settled(): Promise<void> {
    await this.#opening;
  }

  async #open(): Promise<unknown> {
    this.close();
    const client = this.#options.makeClient();
    this.#client = client;
    this.#sent = new SentCommands();
    client.on("error", (error) => this.#failed(client, error));
    client.on("close", () => this.#failed(client, undefined));
    client.on("ready", () => {
      if (this.#isReady) this.#outage.end();
    });
    const { connectTimeout, commandTimeout } = this.#options.limits;
    const connected = client.connect().then(
      () => undefined,
      (error: unknown) => void (this.#failure = reasonOf(error) ?? this.#failure),
    );
    await Promise.race([connected, pause(connectTimeout + commandTimeout, undefined, { ref: false })]);
    return this.#isReady ? undefined : this.#failure;
  }

  close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
  }

  /** Texts in the answer are strings. Rejects with RedisFailure. */
  call(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.#limited(this.#nodeOf(command, args), (client) => client.call(command, args));
  }

  /** Texts in the answer are Buffers. Rejects with RedisFailure. */
  callBytes(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.#limited(this.#nodeOf(command, args), (client) => client.callBuffer(command, args));
  }

  /** Runs a script; texts in the answer are strings. Rejects with RedisFailure. */
  run({ text, hash }: Script, keys: readonly string[], args: readonly Argument[] = []): Promise<unknown> {
    return this.call("evalsha", [hash, keys.length, ...keys, ...args]).catch((error: unknown) => {
      demandUnknown(error);
      return this.call("eval", [text, keys.length, ...keys, ...args]);
    });
  }

  /** Runs a script; texts in the answer are Buffers. Rejects with RedisFailure. */
  runBytes({ text, hash }: Script, keys: readonly string[], args: readonly Argument[] = []): Promise<unknown> {
    return this.callBytes("evalsha", [hash, keys.length, ...keys, ...args]).catch((error: unknown) => {
      demandUnknown(error);
      return this.callBytes("eval", [text, keys.length, ...keys, ...args]);
    });
  }

  /** The keys that begin so, in portions; one that is there all the time comes at least once. */
  async *keys(prefix: string): AsyncGenerator<readonly string[], void, void> {
    const pattern = `${prefix.replace(/[*?[\]\\]/g, "\\$&")}*`;
    for (const node of this.#client?.nodes?.("master") ?? [undefined]) {
      const name = node === undefined ? "" : `${node.options.host}:${node.options.port}`;
      let cursor = "0";
      do {
        const args = [cursor, "MATCH", pattern, "COUNT", keysAtOnce];
        const [next, found] = listOf(await this.#limited(name, (client) => (node ?? client).call("SCAN", args)));
        cursor = textOf(next);
        yield listOf(found).map(textOf);
      } while (cursor !== "0");
    }
  }

  get #isReady(): boolean {
    return this.#client?.status === "ready";
  }

  /** "": there is one server, or any node may run it. */
  #nodeOf(command: string, args: readonly Argument[]): string {
    return this.#client?.nodeOf?.(command, args) ?? "";
  }

  /** `node`: where it goes, as `nodeOf` says. */
  #limited(node: string, send: (client: Client) => Promise<unknown>): Promise<unknown> {
    const client = this.#client;
    const refusal = this.#refusal(node);
    if (client === undefined || refusal !== undefined) {
      return Promise.reject(new RedisFailure(`Redis is down: ${refusal ?? "it is closed"}`));
    }
    const { commandTimeout } = this.#options.limits;
    const sent = this.#sent;
    return new Promise((resolve, reject) => {
      this.#collectWrites(client);
      const replied = sendBy(client, send);
      const command = sent.add(node, commandTimeout, () => {
        const error = new RedisFailure(`${nameOf(node)} did not answer within ${commandTimeout} ms`);
        if (sent === this.#sent) this.#outage.begin(error);
        reject(error);
      });
      replied.then(
        (reply) => {
          this.#settled(command, sent);
          resolve(reply);
        },
        (error: unknown) => {
          this.#settled(command, sent);
          reject(new RedisFailure(messageOf(error), { cause: error }));
        },
      );
    });
  }

  #settled(command: SentCommand, sent: SentCommands): void {
    sent.delete(command);
    if (command.isLate && sent === this.#sent && !sent.hasOverdue && this.#isReady) this.#outage.end();
  }

  /** The commands of several requests go out in one write: of so many that Redis begins while others are made. */
  #collectWrites({ stream }: Client): void {
    if (stream === undefined) return;
    if (stream !== this.#collecting) {
      this.#collecting = stream;
      this.#collected = 0;
      stream.cork();
      setImmediate(() => {
        this.#collecting = undefined;
        stream.uncork();
      });
    } else if (this.#collected === commandsAtOnce) {
      this.#collected = 0;
      stream.uncork();
      stream.cork();
    }
    this.#collected++;
  }

  #refusal(node: string): string | undefined {
    if (!this.#isReady) return messageOf(this.#failure);
    if (this.#sent.isOverdue(node)) return `an answer of ${nameOf(node)} is overdue`;
    const { maxPending } = this.#options.limits;
    return this.#sent.size < maxPending ? undefined : `${maxPending} commands are under way`;
  }

  #failed(client: Client, error: unknown): void {
    if (client !== this.#client) return;
    this.#failure = reasonOf(error) ?? this.#failure;
    if (!this.#isReady) this.#outage.begin(this.#failure);
  }
}

/** As messages call it. */
function nameOf(node: string): string {
  return node === "" ? "Redis" : `Redis at ${node}`;
}

/** What ioredis throws, such as that a command is too long for a string, is its failure as well. */
function sendBy(client: Client, send: (client: Client) => Promise<unknown>): Promise<unknown> {
  try {
    return send(client);
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Throws the error, unless Redis does not know a script: it was restarted, or another one has taken its place. */
function demandUnknown(error: unknown): void {
  if (!messageOf(error).includes("NOSCRIPT")) throw error;
}

/** A cluster tells what is wrong with one of its nodes beside; that a connection was closed is no reason. */
function reasonOf(error: unknown): unknown {
  if (error instanceof Error && "lastNodeError" in error) return reasonOf(error.lastNodeError);
  return error instanceof Error && error.message === "Connection is closed." ? undefined : error;
}

/** In one write. */
const commandsAtOnce = 24;
const keysAtOnce = 500;
