// Calls between a process and the process that started it, over the IPC channel of Node.js.

import type { ChildProcess, SendHandle } from "node:child_process";
import { afterRunning } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import { describeError } from "../describe-error.ts";
import { exitCodeOf, type ExitCode } from "../exit-code.ts";

/** What one side can call: for each name, what is sent and what comes back, as plain data. */
export type CallTable<Table> = {
  readonly [Name in keyof Table]: { readonly params: unknown; readonly result: unknown };
};

/** Serves the calls of the other side. What it throws is sent back as a RemoteError. */
export type Handlers<Table extends CallTable<Table>> = {
  readonly [Name in keyof Table]: (
    params: Table[Name]["params"],
  ) =>
    | Table[Name]["result"]
    | WithHandle<Table[Name]["result"]>
    | Promise<Table[Name]["result"] | WithHandle<Table[Name]["result"]>>;
};

/** A result that brings a socket along. The sender keeps its own. */
export class WithHandle<Result> {
  readonly result: Result;
  readonly handle: SendHandle;

  constructor(result: Result, handle: SendHandle) {
    this.result = result;
    this.handle = handle;
  }
}

/** An error of the other process. Its message is the text for people, which may have several lines. */
export class RemoteError extends Error {
  override name = "RemoteError";
  readonly exitCode: ExitCode;

  constructor(text: string, exitCode: ExitCode) {
    super(text);
    this.exitCode = exitCode;
    // The frames of this process say nothing of the error.
    this.stack = "";
  }
}

/** One end of a channel: a child process, or this process as the child of another. */
export type ChannelEnd = ChildProcess | NodeJS.Process;

const marker = "@hemi/procman";

/** What is sent over the channel. Both ends are of this package, and compare versions first. */
type Message<Out extends CallTable<Out>, In extends CallTable<In>> =
  | {
      readonly [marker]: "call";
      readonly id: number;
      readonly name: keyof In & string;
      readonly params: In[keyof In]["params"];
    }
  | { readonly [marker]: "result"; readonly id: number; readonly result?: Out[keyof Out]["result"] }
  | { readonly [marker]: "error"; readonly id: number; readonly text: string; readonly exitCode: ExitCode };

function isOurs<Out extends CallTable<Out>, In extends CallTable<In>>(message: unknown): message is Message<Out, In> {
  return typeof message === "object" && message !== null && marker in message;
}

interface Waiting {
  readonly resolve: (answer: readonly [result: unknown, handle: unknown]) => void;
  readonly reject: (error: Error) => void;
}

/** What is done about a process that takes no messages. */
export interface ChannelOptions {
  /**
   * More than 1,000 messages wait for the other process, and it has taken none while this one ran for 5 s: it is
   * stopped, or its event loop stands still. Default: they wait.
   */
  readonly stuck?: () => void;
}

/** `Out`: what the other side serves. `In`: what this side serves. */
export class Channel<Out extends CallTable<Out>, In extends CallTable<In>> {
  readonly #end: ChannelEnd;
  readonly #handlers: Handlers<In>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isClosed = false;
  readonly #options: ChannelOptions;
  /** Messages that the other process has not taken: they are in this one. */
  #untaken = 0;
  /** Set while it would be stuck if it took no message: forgets that. */
  #forgetStuck: (() => void) | undefined;

  constructor(end: ChannelEnd, handlers: Handlers<In>, options: ChannelOptions = {}) {
    this.#end = end;
    this.#handlers = handlers;
    this.#options = options;
    // The types of the two ends have no common overload of `on`.
    const emitter: NodeJS.EventEmitter = end;
    emitter.on("message", (message: unknown, handle: unknown) => this.#received(message, handle));
    emitter.on("disconnect", () => this.#close());
    emitter.on("exit", () => this.#close());
  }

  /**
   * Rejects with a RemoteError, with HEMI_PROCESS if the other process has ended, and with a TypeError if the params
   * cannot be sent.
   */
  async call<Name extends keyof Out & string>(name: Name, params: Out[Name]["params"]): Promise<Out[Name]["result"]> {
    const [result] = await this.callForHandle(name, params);
    return result;
  }

  /** Like `call`, with the socket that came along. */
  async callForHandle<Name extends keyof Out & string>(
    name: Name,
    params: Out[Name]["params"],
  ): Promise<readonly [result: Out[Name]["result"], handle: unknown]> {
    if (this.#isClosed) throw ended();
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<readonly [unknown, unknown]>();
    this.#waiting.set(id, { resolve, reject });
    try {
      this.#send({ [marker]: "call", name, id, params });
    } catch (error) {
      this.#waiting.delete(id);
      throw error;
    }
    return await promise;
  }

  /** A call whose result does not matter. Errors are ignored, also that the other process has ended. */
  tell<Name extends keyof Out & string>(name: Name, params: Out[Name]["params"]): void {
    this.call(name, params).catch(() => {});
  }

  /** Throws a TypeError for what cannot be sent: the channel stays open for other messages. */
  #send(message: object, handle?: SendHandle): void {
    const sent = (error: Error | null): void => {
      this.#untaken--;
      if (this.#forgetStuck !== undefined) this.#watchTaking();
      if (error !== null) this.#close();
    };
    this.#end.send?.(message, handle, { keepOpen: true }, sent);
    this.#untaken++;
    if (this.#untaken > maxUntaken && this.#forgetStuck === undefined) this.#watchTaking();
  }

  /** From now on, anew. */
  #watchTaking(): void {
    const { stuck } = this.#options;
    this.#forgetStuck?.();
    const mustTake = stuck !== undefined && this.#untaken > maxUntaken && !this.#isClosed;
    this.#forgetStuck = mustTake ? afterRunning(takeTime, stuck, { keepsAlive: false }) : undefined;
  }

  #received(message: unknown, handle: unknown): void {
    // A module of the user may use the channel as well.
    if (!isOurs<Out, In>(message)) return;
    if (message[marker] === "call") return void this.#serve(message.id, message.name, message.params);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message[marker] === "result") waiting?.resolve([message.result, handle]);
    else waiting?.reject(new RemoteError(message.text, message.exitCode));
  }

  async #serve<Name extends keyof In & string>(id: number, name: Name, params: In[Name]["params"]): Promise<void> {
    try {
      const handlers = this.#handlers;
      const result = await handlers[name](params);
      if (result instanceof WithHandle) this.#send({ [marker]: "result", id, result: result.result }, result.handle);
      else this.#send({ [marker]: "result", id, result });
    } catch (error) {
      this.#send({ [marker]: "error", id, text: describeError(error), exitCode: exitCodeOf(error) });
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#forgetStuck?.();
    for (const { reject } of this.#waiting.values()) reject(ended());
    this.#waiting.clear();
  }
}

function ended(): HemiError {
  return new HemiError("HEMI_PROCESS", "the other process has ended");
}

const maxUntaken = 1000;
/** In milliseconds. A burst of messages may be more than the system takes at once. */
const takeTime = 5000;
