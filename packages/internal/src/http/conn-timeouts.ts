// What a connection waits for just now, and how long it still does: one limit at a time.

import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import type { CodecServer, CodecSettings } from "./codec-server.ts";

/** Each has its time in the settings. */
export type Wait = "idle" | "drainIdle" | "head" | "content" | "handle" | "write" | "linger";

/** Whose timeouts they are. */
export interface TimeoutsOwner {
  /** What was waited for has not come in time. */
  timedOut(wait: Wait | undefined): void;
}

export class ConnTimeouts {
  /** There was progress: what is waited for next has its whole time, though it was waited for already. */
  hasMoved = false;
  readonly #socket: Socket;
  readonly #server: CodecServer;
  readonly #deadline: Deadline;
  readonly #owner: TimeoutsOwner;
  #wait: Wait | undefined;

  constructor(socket: Socket, server: CodecServer, owner: TimeoutsOwner) {
    this.#socket = socket;
    this.#server = server;
    this.#owner = owner;
    this.#deadline = server.makeDeadline(() => this.#expire());
  }

  /** `time`: in ms, in place of that of the settings; not for `write`. */
  waitFor(wait: Wait, time?: number): void {
    const isNew = wait !== this.#wait;
    if (!isNew && !this.hasMoved) return;
    this.hasMoved = false;
    if (wait !== "write") {
      if (this.#wait === "write") this.#socket.setTimeout(0).removeAllListeners("timeout");
      this.#deadline.set(time ?? timeOf(wait, this.#server.settings));
    } else if (isNew) {
      // The socket's own timeout is the one that sees how much of a large write the client has taken.
      this.#deadline.clear();
      this.#socket.setTimeout(this.#server.settings.writeTimeout, () => this.#expire());
    }
    this.#wait = wait;
  }

  /** It holds from now on for who is idle already. */
  idleTimeoutChanged(): void {
    if (this.#wait === "idle") this.#deadline.set(this.#server.settings.idleTimeout);
  }

  /** No more waiting. */
  end(): void {
    if (this.#wait === "write") this.#socket.setTimeout(0).removeAllListeners("timeout");
    this.#wait = undefined;
    this.#deadline.clear();
  }

  #expire(): void {
    const wait = this.#wait;
    this.#wait = undefined;
    this.#owner.timedOut(wait);
  }
}

function timeOf(wait: Exclude<Wait, "write">, settings: CodecSettings): number {
  switch (wait) {
    case "idle":
      return settings.idleTimeout;
    case "drainIdle":
      return settings.drainIdleTimeout;
    case "head":
      return settings.headTimeout;
    case "content":
      return settings.contentTimeout;
    case "handle":
      return settings.handleTimeout;
    case "linger":
      return settings.lingerTimeout;
  }
}
