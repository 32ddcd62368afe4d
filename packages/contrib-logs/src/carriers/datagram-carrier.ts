// Carries each message in a datagram of UDP. The socket is connected, so that the system tells of a port where nobody
// listens: soon after the message.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Carrier } from "./carrier.ts";

export class DatagramCarrier implements Carrier {
  readonly #to: { readonly host: string; readonly port: number };
  #socket: Socket | undefined;
  /** What the system has told of the last messages; `undefined`: nothing. */
  #refusal: Error | undefined;
  /** The last messages were refused: whether the next ones are is waited for. */
  #isDoubtful = false;

  constructor(to: { readonly host: string; readonly port: number }) {
    this.#to = to;
  }

  async send(messages: readonly Buffer[], timeout: number): Promise<void> {
    try {
      const socket = (this.#socket ??= await this.#connect(timeout));
      for (const message of messages) await sent(socket, message);
      if (this.#isDoubtful) await wait(doubtTime);
      if (this.#refusal !== undefined) throw this.#refusal;
      this.#isDoubtful = false;
    } catch (error) {
      this.#isDoubtful = true;
      // The name may lead to another address by now.
      await this.close();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#socket?.close();
    this.#socket = undefined;
    this.#refusal = undefined;
    return Promise.resolve();
  }

  async #connect(timeout: number): Promise<Socket> {
    const { host, port } = this.#to;
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    socket.connect(port, host);
    try {
      // A name may not be found, or take too long.
      await once(socket, "connect", { signal: AbortSignal.timeout(timeout) });
    } catch (error) {
      socket.on("error", () => {}).close();
      throw error;
    }
    return socket.on("error", (error) => (this.#refusal = error));
  }
}

function sent(socket: Socket, message: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send(message, (error) => {
    if (error === null) resolve();
    else reject(error);
  });
  return promise;
}

/** In milliseconds. */
const doubtTime = 500;
