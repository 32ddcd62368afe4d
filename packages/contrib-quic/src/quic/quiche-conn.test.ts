// Two connections that hand each other their packets, when the test says so.

import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "@hemi/internal/testing";
import { beforeAll, expect, test } from "vitest";
import { nativeQuic, type NativeConfig, type NativeConn } from "./native.ts";
import { QuicheConn } from "./quiche-conn.ts";

const server = { host: "127.0.0.1", port: 443 };
const client = { host: "127.0.0.1", port: 50_000 };

let config: NativeConfig;

beforeAll(async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-quiche-conn-"));
  makeCertificate(folder.path, "site");
  const [key, chain] = await Promise.all(["key", "crt"].map((type) => readFile(join(folder.path, `site.${type}`))));
  if (key === undefined || chain === undefined) throw new Error("there is no certificate");
  config = nativeQuic().Config.withBoringSslCtx(false, false, null, [key], [chain], null);
  config.setApplicationProtos(["test"]);
  config.setInitialMaxData(10_000_000);
  config.setInitialMaxStreamDataBidiLocal(1_000_000);
  config.setInitialMaxStreamDataBidiRemote(1_000_000);
  config.setInitialMaxStreamsBidi(10);
});

/** One side, and the packets that it has sent and the other has not received. */
class Side {
  readonly conn: QuicheConn;
  readonly #isServer: boolean;
  readonly #packets: Buffer[] = [];

  constructor(native: NativeConn, isServer: boolean) {
    this.#isServer = isServer;
    this.conn = new QuicheConn(native, isServer, {
      overhead: { max: Infinity, recovery: 1 },
      floodCode: 0,
      send: (packet) => this.#packets.push(Buffer.from(packet)) > 0,
      isDirty() {},
      established: () => ({ advance() {}, closed() {} }),
      gone() {},
      failed: (_conn, error) => {
        throw error;
      },
    });
  }

  /** Ends a turn of the event loop. */
  turn(): void {
    this.conn.endOfTurn();
  }

  /** What was sent comes to the other side. */
  deliverTo(other: Side): number {
    const packets = this.#packets.splice(0);
    const path = this.#isServer ? { from: server, to: client } : { from: client, to: server };
    for (const packet of packets) other.conn.received(packet, path);
    return packets.length;
  }
}

/** A connection whose handshake is complete, with a stream that the client has sent something on. */
function connected(): { readonly near: Side; readonly far: Side; readonly stream: number; exchange(): void } {
  const { Connection } = nativeQuic();
  const far = new Side(Connection.connect("localhost", Buffer.alloc(16, 1), client, server, config), false);
  const near = new Side(Connection.accept(Buffer.alloc(16, 2), null, server, client, config), true);
  const exchange = (): void => {
    let count: number;
    do {
      far.turn();
      count = far.deliverTo(near);
      near.turn();
      count += near.deliverTo(far);
    } while (count > 0);
  };
  exchange();
  const stream = far.conn.openBidi() ?? -1;
  far.conn.write(stream, Buffer.from("question"), true);
  exchange();
  expect(near.conn.read(stream)).toEqual({ bytes: Buffer.from("question"), isEnd: true });
  return { near, far, stream, exchange };
}

test("an end that is written when all bytes before it are acknowledged reaches the peer", () => {
  const { near, far, stream, exchange } = connected();
  near.conn.write(stream, Buffer.from("answer"), false);
  near.turn();
  near.deliverTo(far);
  far.turn();
  expect(near.conn.end(stream)).toBe("ended");
  // The acknowledgment comes in the same turn of the event loop.
  expect(far.deliverTo(near)).toBeGreaterThan(0);
  exchange();
  expect(far.conn.read(stream)).toEqual({ bytes: Buffer.from("answer"), isEnd: true });
});

test("an end waits while the network takes nothing more", () => {
  const { near, far, stream, exchange } = connected();
  near.conn.write(stream, Buffer.from("answer"), false);
  exchange();
  const other = near.conn.openBidi() ?? -1;
  const bytes = Buffer.alloc(500_000);
  const taken = near.conn.write(other, bytes, false);
  expect(taken).toBeLessThan(bytes.length);
  expect(near.conn.end(stream)).toBe("blocked");
  exchange();
  expect(near.conn.end(stream)).toBe("ended");
  exchange();
  expect(far.conn.read(stream)).toEqual({ bytes: Buffer.from("answer"), isEnd: true });
});

test("a stream that the peer takes no more of cannot be ended", () => {
  const { near, far, stream, exchange } = connected();
  far.conn.stop(stream, 7);
  exchange();
  expect(near.conn.end(stream)).toBe("stopped");
});

test("a stream that nothing was sent on can be ended", () => {
  const { near, far, exchange } = connected();
  const stream = near.conn.openBidi() ?? -1;
  expect(near.conn.end(stream)).toBe("ended");
  exchange();
  expect(far.conn.readable()).toEqual([stream]);
  expect(far.conn.read(stream)).toEqual({ bytes: Buffer.alloc(0), isEnd: true });
});

test("a stream that the peer has in full, both ways, is not opened again by another end", () => {
  const { near, far, stream, exchange } = connected();
  near.conn.write(stream, Buffer.from("answer"), true);
  exchange();
  expect(far.conn.read(stream)).toEqual({ bytes: Buffer.from("answer"), isEnd: true });
  exchange();
  expect(near.conn.isDelivered(stream)).toBe(true);
  expect(near.conn.end(stream)).toBe("stopped");
});
