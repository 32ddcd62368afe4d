// A client that is logged in: each of its commands goes to the server that writes, or to a replica, and the response
// comes back as it is.
//
//  command ──> refused: an error
//         ├──> a read, outside of a transaction ──> replica ── lost before it has answered ──┐
//         └──> server that writes <──────────────────────────────────────────────────────────┘
//  The next command is looked at when the response is complete.

import type { ClientPipe, ConnEndReason } from "@hemi/internal";
import { statusFlags } from "../protocol/capabilities.ts";
import { errorPayload, type ErrorName } from "../protocol/errors.ts";
import { PacketHeads } from "../protocol/packet-heads.ts";
import { headSize, packet, sequenceAfter } from "../protocol/packets.ts";
import type { KillTarget } from "../kill-targets.ts";
import { Response } from "../protocol/response.ts";
import type { ServerConn, ServerUser } from "../server/server-conn.ts";
import { commandOf, commands, type Command } from "./commands.ts";
import { Replica, type MakeReplica } from "./replica.ts";
import { databaseIn, killIn, kindOf, type StatementKind } from "./statements.ts";

export interface CommandOptions {
  readonly pipe: ClientPipe;
  /** The server that writes. */
  readonly server: ServerConn;
  /** The capabilities of the client. */
  readonly agreed: number;
  readonly settings: { readonly writerTime: number; readonly idleTimeout: number };
  /** Makes a connection to a replica; `undefined`: there are none. */
  readonly replica: MakeReplica | undefined;
  /** Whether the session may have this database. */
  readonly mayUse: (database: string) => boolean;
  /** Finds the session of another client, at once or later. */
  readonly findTarget: (id: number, found: (target: KillTarget | undefined) => void) => void;
  readonly count: (event: CommandEvent) => void;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly close: (reason: ConnEndReason) => void;
}

/** `read`: answered by a replica. `error`: of a server. `refused`: by the proxy. */
export type CommandEvent = "query" | "read" | "error" | "refused" | "serverLost";

/** A command that a server works on. */
interface Running {
  readonly bytes: Buffer;
  readonly kind: StatementKind | undefined;
  readonly response: Response;
  /** A part of the response has been passed on. */
  hasBegun: boolean;
}

export class CommandPhase {
  readonly #options: CommandOptions;
  readonly #server: ServerConn;
  readonly #replica: Replica | undefined;
  readonly #heads: PacketHeads;
  /** Commands that came while another one runs. */
  #waiting: Buffer[] = [];
  #running: Running | undefined;
  /** The session that is to be killed is looked for. */
  #isLooking = false;
  /** What was written to the server that writes has not been passed on. */
  #isServerSlow = false;
  /** Since when the client has not read, or not sent a piece of its file; `Infinity`: it owes nothing. */
  #owesSince = Infinity;
  /** The client owes the server a file. */
  #sendsFile = false;
  /** What the server has told last of the session. */
  #status: number = statusFlags.autocommit;
  /** Something is in the session that replicas do not have. */
  #isBound = false;
  #lastWrite = -Infinity;
  /** Of the next packet to the client, for errors. */
  #sequence = 0;
  #isOver = false;
  #queries = 0;
  #reads = 0;
  #errors = 0;

  constructor(options: CommandOptions) {
    this.#options = options;
    this.#server = options.server;
    this.#heads = new PacketHeads((bytes, start, length) => this.#responsePacket(bytes, start, length));
    if (options.replica !== undefined)
      this.#replica = new Replica(options.replica, options.agreed, () => this.#replicaReady());
    this.#server.use(this.#userOf(this.#server));
  }

  /** A server works for the client: not so if it has waited for the client all the time. */
  get isBusy(): boolean {
    return this.#running !== undefined && this.#options.now() - this.#owesSince < this.#options.settings.idleTimeout;
  }

  get killTarget(): KillTarget {
    const { node, threadId } = this.#replica?.busy ?? this.#server;
    return { node, threadId };
  }

  /** For the log. */
  get notes(): Readonly<Record<string, number>> {
    return { queries: this.#queries, replicaReads: this.#reads, errors: this.#errors };
  }

  /** A whole command. The bytes are valid until it returns. */
  clientMessage(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    if (this.#sendsFile) return this.#sendFile(bytes, start, end);
    if (this.#running === undefined && !this.#isLooking) return this.#take(Buffer.from(bytes.subarray(start, end)));
    this.#waiting.push(Buffer.from(bytes.subarray(start, end)));
    this.#holdOrNot();
  }

  clientDrained(): void {
    this.#owesSince = Infinity;
    this.#server.hold(false);
    this.#replica?.hold(false);
  }

  /** The client is gone, or has to go. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    this.#replica?.end();
    // A server that still works notices that nobody waits.
    if (this.#running === undefined) this.#server.quit();
    else this.#server.close();
  }

  /** Sends an error where the client expects a packet. */
  sendError(payload: Buffer): void {
    const { pipe } = this.#options;
    if (this.#running?.hasBegun !== true && !pipe.isDestroyed) pipe.write(packet(this.#sequence, payload), false);
  }

  #take(bytes: Buffer): void {
    if (bytes[3] !== 0) return this.#outOfOrder();
    this.#sequence = sequenceAfter(bytes, 0, bytes.length);
    const code = bytes[headSize] ?? -1;
    if (code === commands.quit) return this.#options.close("complete");
    const command = commandOf(code);
    if (command === undefined) return this.#refuse("unknownCommand", "the proxy does not pass this command on");
    if (command.isQuery) {
      this.#queries++;
      this.#options.count("query");
    }
    const text = textOf(command, bytes);
    const database = code === commands.database ? text : databaseIn(text ?? "");
    if (database !== undefined && !this.#options.mayUse(database)) {
      return this.#refuse("databaseDenied", `Access denied to database '${database}' in this session`);
    }
    const asked = killOf(code, bytes, text);
    // Clients may know smaller ones from the server itself.
    if (asked !== undefined && asked.id >= firstId) return this.#kill(asked.what, asked.id);
    this.#run(command, bytes, kindOfCommand(code, text));
  }

  #outOfOrder(): void {
    this.#refuse("outOfOrder", "Got packets out of order");
    this.#options.close("refused");
  }

  #refuse(name: ErrorName, text: string): void {
    this.#options.count("refused");
    this.sendError(errorPayload(name, text));
  }

  /** Clients know the sessions of others by the ids of the proxy. */
  #kill(what: string, id: number): void {
    this.#isLooking = true;
    this.#options.findTarget(id, (target) => {
      this.#isLooking = false;
      if (this.#isOver) return;
      if (target?.node === this.#server.node) this.#killAt(what, target.threadId);
      else this.#refuse("unknownThread", `Unknown thread id: ${id}`);
      this.#next();
    });
  }

  #killAt(what: string, threadId: number): void {
    const query = Buffer.from(`KILL ${what}${threadId}`);
    this.#run({ response: "result", isQuery: true }, packet(0, Buffer.of(commands.query), query), "write");
  }

  #run(command: Command, bytes: Buffer, kind: StatementKind | undefined): void {
    const { response } = command;
    if (response === "none") return this.#toServer(bytes);
    this.#running = { bytes, kind, response: new Response(response, this.#options.agreed), hasBegun: false };
    if (kind === "read" && this.#replica !== undefined && this.#mayRead) return this.#replica.take();
    this.#toServer(bytes);
  }

  #toServer(bytes: Buffer): void {
    if (this.#server.write(bytes, false)) return;
    this.#isServerSlow = true;
    this.#holdOrNot();
  }

  get #mayRead(): boolean {
    const { autocommit, inTransaction } = statusFlags;
    const isOutside = (this.#status & (autocommit | inTransaction)) === autocommit;
    return isOutside && !this.#isBound && this.#options.now() - this.#lastWrite >= this.#options.settings.writerTime;
  }

  /** The replica can be asked now; `undefined`: there is none. */
  #replicaReady(): void {
    const running = this.#running;
    if (running === undefined || this.#isOver) return;
    const { busy } = this.#replica ?? {};
    if (busy === undefined) return this.#toServer(running.bytes);
    this.#reads++;
    this.#options.count("read");
    busy.use(this.#userOf(busy));
    busy.write(running.bytes, false);
  }

  #userOf(server: ServerConn): ServerUser {
    const isWriter = server === this.#server;
    return {
      received: (bytes, isShared) => this.#received(server, bytes, isShared),
      drained: () => {
        this.#isServerSlow = false;
        this.#holdOrNot();
      },
      lost: () => (isWriter ? this.#serverLost() : this.#replicaLost()),
    };
  }

  #received(server: ServerConn, bytes: Buffer, isShared: boolean): void {
    const { pipe } = this.#options;
    if (this.#isOver || pipe.isDestroyed) return;
    // A replica that says something without being asked ends its session.
    if (server !== this.#server && server !== this.#replica?.busy) return this.#replica?.end();
    if (this.#running !== undefined) this.#running.hasBegun = true;
    this.#heads.add(bytes);
    // Before the next command, whose response could come at once.
    if (!pipe.write(bytes, isShared)) {
      server.hold(true);
      this.#owesSince = Math.min(this.#owesSince, this.#options.now());
    }
    this.#next();
  }

  #responsePacket(bytes: Buffer, start: number, length: number): void {
    const running = this.#running;
    // A server that ends the session says why.
    if (running === undefined) return;
    const { response } = running;
    const progress = response.took(bytes, start, length);
    if (progress === "file") {
      this.#sendsFile = true;
      this.#owesSince = this.#options.now();
    }
    if (progress === "over") this.#over(running);
  }

  #over({ kind, response, bytes }: Running): void {
    this.#running = undefined;
    this.#sendsFile = false;
    if (this.#replica?.busy !== undefined) this.#replica.release();
    else if (response.status !== undefined) this.#status = response.status;
    if (response.isError) {
      this.#errors++;
      this.#options.count("error");
    } else if (kind === "setting") this.#replica?.remember(bytes);
    if (kind === "binding") this.#isBound = true;
    if (kind === "write" || kind === "binding") this.#lastWrite = this.#options.now();
    if (bytes[headSize] === commands.reset && !response.isError) {
      this.#isBound = false;
      this.#replica?.reset();
    }
  }

  #sendFile(bytes: Buffer, start: number, end: number): void {
    this.#sendsFile = end - start > headSize;
    this.#owesSince = this.#sendsFile ? this.#options.now() : Infinity;
    this.#sequence = sequenceAfter(bytes, start, end);
    this.#toServer(Buffer.from(bytes.subarray(start, end)));
  }

  #next(): void {
    while (this.#running === undefined && !this.#isLooking && !this.#isOver) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#take(next);
    }
    this.#holdOrNot();
  }

  #holdOrNot(): void {
    const { pipe } = this.#options;
    if (!pipe.isDestroyed && !this.#isOver) pipe.hold(this.#waiting.length > 0 || this.#isServerSlow);
  }

  #serverLost(): void {
    if (this.#isOver) return;
    this.#options.count("serverLost");
    if (this.#running !== undefined) this.sendError(errorPayload("serverLost", "the server closed the connection"));
    this.#options.close("nodeAborted");
  }

  /** A read that no replica has begun to answer is asked again at the server that writes. */
  #replicaLost(): void {
    const running = this.#running;
    const wasBusy = this.#replica?.busy !== undefined;
    this.#replica?.end();
    if (this.#isOver || running === undefined || !wasBusy) return;
    this.#options.count("serverLost");
    if (running.hasBegun) this.#options.close("nodeAborted");
    else this.#toServer(running.bytes);
  }
}

function textOf({ hasText }: Command, bytes: Buffer): string | undefined {
  return hasText === true
    ? bytes.toString("utf8", headSize + 1, Math.min(bytes.length, headSize + maxText))
    : undefined;
}

function kindOfCommand(code: number, text: string | undefined): StatementKind | undefined {
  if (code === commands.database) return "setting";
  if (code === commands.execute) return "write";
  return code === commands.query ? kindOf(text ?? "") : undefined;
}

function killOf(
  code: number,
  bytes: Buffer,
  text: string | undefined,
): { readonly what: string; readonly id: number } | undefined {
  if (code === commands.query) return killIn(text ?? "");
  const isKill = code === commands.kill && bytes.length >= headSize + 5;
  return isKill ? { what: "", id: bytes.readUInt32LE(headSize + 1) } : undefined;
}

/** Ids of sessions of the proxy begin here; those of servers stay below. */
export const firstId = 0x8000_0000;

/** In bytes. Not a prop: longer statements are not looked at. */
const maxText = 65 * 1024;
