// What a server still owes a client: one entry for each request, in order. By that the proxy knows which answers are to
// its own requests, where an answer of its own belongs, and when a transaction is over.

import { closeComplete, parseComplete } from "../protocol/messages.ts";
import type { Statement } from "./statements.ts";

/** One request. */
export type Entry =
  /** Parse. `name`: that of the client; `undefined`: the client did not ask for it. */
  | { readonly kind: "parse"; readonly statement: Statement | undefined; readonly name: string | undefined }
  | { readonly kind: "bind" | "describe" | "execute" }
  /** Close. `evicts`: the name of the statement that the proxy makes room by. */
  | { readonly kind: "close"; readonly evicts: string | undefined }
  /** Sync, Query and FunctionCall: they end with ReadyForQuery. */
  | { readonly kind: "sync" | "query" }
  /** A Query of the proxy: nothing of its answer is for the client. */
  | { readonly kind: "own query" }
  /** CopyDone and CopyFail, which have no answer: a server in COPY FROM STDIN ignores the Syncs before them only. */
  | { readonly kind: "copy end" }
  /** Parse or Close that the server need not see: answered in its turn. `name`: that of the client's statement. */
  | { readonly kind: "given"; readonly answer: Buffer; readonly name: string; readonly statement: Statement };

/** Learns what the server has ignored, because something before it failed. */
export interface Ignored {
  /**
   * The server does not have this statement after all. `name`: nor has the client, under this name; `undefined`: the
   * client has it, and had it before.
   */
  notPrepared(statement: Statement, name: string | undefined): void;
  /** The client does not have the statement under this name after all, or, for a Close, still has it. */
  notGiven(statement: Statement, name: string, isClose: boolean): void;
  /** The server still has the statement of this name. */
  notEvicted(name: string): void;
}

/** What to do with a message of the server. */
export type Verdict = "pass" | "drop";

export class Expected {
  readonly #ignored: Ignored;
  #entries: Entry[] = [];
  /** Something has failed, and the Sync that ends it has not been sent: the server ignores everything else. */
  #isIgnoring = false;
  /** There was a message of the extended protocol, and no ReadyForQuery after which nothing is owed. */
  #isOpen = false;
  /** The server is in COPY FROM STDIN, and the end of the data has not been sent. */
  #isCopying = false;
  /** Syncs were taken for ignored, because the server is in COPY FROM STDIN. */
  #hasIgnoredSyncs = false;
  #isUncertain = false;

  constructor(ignored: Ignored) {
    this.#ignored = ignored;
  }

  get length(): number {
    return this.#entries.length;
  }

  /**
   * Whether the server is between two Syncs, with a transaction that only the next Sync ends, or ignores everything up
   * to it. Nothing is owed meanwhile, and the state of the transaction is still that of the last ReadyForQuery.
   */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * COPY FROM STDIN has failed, and there were Syncs before the end of the data: whether the server has read them
   * before it failed, and ignores them, or after that, and answers them, cannot be known. Nobody else may get the
   * connection.
   */
  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  get head(): Entry | undefined {
    return this.#entries[0];
  }

  /** Returns the answers that are due at once. */
  add(entry: Entry): Buffer | undefined {
    if (this.#isCopying) {
      if (entry.kind === "copy end") this.#isCopying = false;
      if (entry.kind === "sync") this.#hasIgnoredSyncs = true;
      if (entry.kind === "copy end" || entry.kind === "sync") return undefined;
    }
    if (entry.kind === "sync") this.#isIgnoring = false;
    if (this.#isIgnoring) {
      this.#ignore(entry);
      return undefined;
    }
    if (entry.kind !== "given" && entry.kind !== "own query" && entry.kind !== "copy end") this.#isOpen = true;
    this.#entries.push(entry);
    return this.given();
  }

  /** The answers of our own whose turn it is. */
  given(): Buffer | undefined {
    const answers: Buffer[] = [];
    for (let head = this.head; head?.kind === "given" || head?.kind === "copy end"; head = this.head) {
      if (head.kind === "given") answers.push(head.answer);
      this.#entries.shift();
    }
    return answers.length === 0 ? undefined : Buffer.concat(answers);
  }

  /** A message of the server has come. */
  answered(type: number): Verdict {
    const verdict = this.#answered(type);
    while (this.head?.kind === "copy end") this.#entries.shift();
    if (type === letter.ready && this.#entries.length === 0) {
      this.#isOpen = false;
      this.#isIgnoring = false;
    }
    return verdict;
  }

  #answered(type: number): Verdict {
    const { head } = this;
    if (head === undefined) return "pass";
    if (head.kind === "own query") {
      if (type === letter.ready) this.#entries.shift();
      return "drop";
    }
    if (type === letter.error && head.kind !== "query") {
      if (this.#hasIgnoredSyncs) this.#isUncertain = true;
      this.#copyIsOver();
      this.#skipToSync();
      return "pass";
    }
    if (type === letter.copyIn && head.kind === "execute") this.#dropSyncs();
    if (!endsIt(head, type)) return "pass";
    this.#copyIsOver();
    this.#entries.shift();
    const isOurs =
      (head.kind === "parse" && head.name === undefined) || (head.kind === "close" && head.evicts !== undefined);
    return isOurs ? "drop" : "pass";
  }

  /** The server ignores everything up to the next Sync ("Extended Query"). */
  #skipToSync(): void {
    const sync = this.#entries.findIndex(({ kind }) => kind === "sync");
    const ignored = this.#entries.splice(0, sync < 0 ? this.#entries.length : sync);
    // Undone from the last one: a Close may be of what a Parse before it has made.
    for (const entry of ignored.reverse()) this.#ignore(entry);
    this.#isIgnoring = this.#entries.length === 0;
  }

  #ignore(entry: Entry): void {
    if (entry.kind === "parse" && entry.statement !== undefined) {
      this.#ignored.notPrepared(entry.statement, entry.name);
    }
    if (entry.kind === "given") {
      this.#ignored.notGiven(entry.statement, entry.name, entry.answer === closeComplete);
    }
    if (entry.kind === "close" && entry.evicts !== undefined) this.#ignored.notEvicted(entry.evicts);
  }

  /** A server in COPY FROM STDIN ignores the Syncs before the end of the data ("COPY Operations"). */
  #dropSyncs(): void {
    const end = this.#entries.findIndex(({ kind }) => kind === "copy end");
    this.#isCopying = end < 0;
    const isDropped = ({ kind }: Entry, at: number): boolean =>
      at === end || (kind === "sync" && (this.#isCopying || at < end));
    const kept = this.#entries.filter((entry, at) => !isDropped(entry, at));
    this.#hasIgnoredSyncs = this.#entries.length - kept.length > (this.#isCopying ? 0 : 1);
    this.#entries = kept;
  }

  #copyIsOver(): void {
    this.#isCopying = false;
    this.#hasIgnoredSyncs = false;
  }
}

/** Whether a message is the last one of the answer to a request. */
function endsIt({ kind }: Entry, type: number): boolean {
  switch (kind) {
    case "parse":
      return type === parseComplete[0];
    case "close":
      return type === closeComplete[0];
    case "bind":
      return type === letter.bindComplete;
    case "describe":
      return type === letter.rowDescription || type === letter.noData;
    case "execute":
      return type === letter.commandComplete || type === letter.emptyQuery || type === letter.suspended;
    case "sync":
    case "query":
      return type === letter.ready;
    case "own query":
    case "copy end":
    case "given":
      return false;
  }
}

const letter = {
  bindComplete: 50,
  rowDescription: 84,
  noData: 110,
  commandComplete: 67,
  emptyQuery: 73,
  suspended: 115,
  copyIn: 71,
  ready: 90,
  error: 69,
} as const;
