// For tests: an hrpc client that sends whatever it is told, and keeps the frames that come.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { frame, FrameReader, frameTypes, preface } from "@hemi/common/rpc";

/** One frame of the server. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** SETTINGS without a setting: all stay as they are initially. */
export const noSettings = Buffer.from(frame(frameTypes.settings, 0, 0, new Uint8Array()));

/** What every client begins with. */
export const beginning = Buffer.concat([preface, noSettings]);

/** A CALL without a deadline and without metadata, whose messages are JSON. */
export function rawCall(id: number, path: string): Buffer {
  const payload = Buffer.concat([Buffer.from([path.length]), Buffer.from(path), Buffer.from([0, 1, 0])]);
  return Buffer.from(frame(frameTypes.call, 0, id, payload));
}

/** A MESSAGE. */
export function rawMessage(id: number, text: string, flags = 0): Buffer {
  return Buffer.from(frame(frameTypes.message, flags, id, Buffer.from(text)));
}

export class RawHrpc implements AsyncDisposable {
  readonly frames: RawFrame[] = [];
  readonly #socket: Socket;
  isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader(1 << 20, (type, flags, id, payload) => {
      this.frames.push({ type, flags, id, payload: Buffer.from(payload) });
    });
    socket.on("data", (bytes: Buffer) => reader.push(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.isClosed = true));
  }

  static async connect(port: number): Promise<RawHrpc> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawHrpc(socket);
  }

  send(...pieces: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(pieces));
  }

  /** Reads nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Each byte in a packet of its own, if the system does not join them. */
  async sendByBytes(bytes: Uint8Array): Promise<void> {
    this.#socket.setNoDelay(true);
    for (const byte of bytes) {
      this.#socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  of(type: number): readonly RawFrame[] {
    return this.frames.filter((each) => each.type === type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.isClosed) await once(this.#socket, "close");
  }
}
