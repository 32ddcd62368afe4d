// The connection of a session to a replica: made at the first read, and set like the session before each one.
//
//  read ──> no connection: it is made ──> settings that it lacks, one after another ──> ready
//                   └── it fails: there is none for a while ─────────────────────────> ready, without

import { Response } from "../protocol/response.ts";
import { PacketHeads } from "../protocol/packet-heads.ts";
import type { ServerConn } from "../server/server-conn.ts";

/** Makes a connection, which is not dialled. */
export type MakeReplica = (events: {
  readonly ready: () => void;
  readonly failed: (error: Buffer) => void;
}) => ServerConn;

export class Replica {
  readonly #make: MakeReplica;
  readonly #agreed: number;
  readonly #ready: () => void;
  #conn: ServerConn | undefined;
  /** Commands that have set the session, in order. */
  #settings: Buffer[] = [];
  /** How many of them the connection has. */
  #applied = 0;
  /** The replica works for the session. */
  #isBusy = false;
  /** No more reads: a replica cannot be had, or cannot be set. */
  #isGivenUp = false;

  /** `agreed`: the capabilities of the client. `ready` follows each `take`. */
  constructor(make: MakeReplica, agreed: number, ready: () => void) {
    this.#make = make;
    this.#agreed = agreed;
    this.#ready = ready;
  }

  /** The connection that a read goes to, or has gone to. */
  get busy(): ServerConn | undefined {
    return this.#isBusy ? this.#conn : undefined;
  }

  /** A read is to be asked. Calls `ready`, at once or later. */
  take(): void {
    if (this.#isGivenUp) return this.#ready();
    if (this.#conn !== undefined) return this.#apply(this.#conn);
    const conn = this.#make({
      ready: () => this.#apply(conn),
      failed: () => this.#giveUp(),
    });
    this.#conn = conn;
    this.#applied = 0;
    conn.dial();
  }

  /** The read is answered. */
  release(): void {
    this.#isBusy = false;
  }

  /** A command has set the session. */
  remember(command: Buffer): void {
    if (this.#settings.length < maxSettings) this.#settings.push(command);
    else this.#isGivenUp = true;
  }

  hold(isHeld: boolean): void {
    this.#conn?.hold(isHeld);
  }

  /** Ends the connection, not the possibility to make another one. */
  end(): void {
    const conn = this.#conn;
    const wasBusy = this.#isBusy;
    this.#conn = undefined;
    this.#isBusy = false;
    if (wasBusy) conn?.close();
    else conn?.quit();
  }

  /** The session begins anew: what was set is forgotten. */
  reset(): void {
    this.end();
    this.#settings = [];
  }

  #apply(conn: ServerConn): void {
    const command = this.#settings[this.#applied];
    if (command === undefined) {
      this.#isBusy = true;
      return this.#ready();
    }
    const response = new Response("result", this.#agreed);
    const heads = new PacketHeads((bytes, start, length) => {
      if (response.took(bytes, start, length) !== "over") return;
      this.#applied++;
      if (response.isError) this.#giveUp();
      else this.#apply(conn);
    });
    conn.use({ received: (bytes) => heads.add(bytes), drained: () => {}, lost: () => this.#giveUp() });
    conn.write(command, false);
  }

  #giveUp(): void {
    this.end();
    this.#isGivenUp = true;
    this.#ready();
  }
}

/** Not a prop: a session that is set more often is not read from replicas. */
const maxSettings = 100;
