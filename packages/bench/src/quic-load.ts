// Connections of QUIC, as a process of its own.
//
//   node quic-load.ts handshakes PORT SECONDS AT_ONCE    prints how many handshakes were complete in a second
//   node quic-load.ts idle PORT COUNT                    opens connections, each with a request that is answered,
//                                                        prints their number, keeps them until its input ends

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { nativeQuic, type NativeConn } from "./native-quic.ts";

const [mode, port = 0, amount = 1, atOnce = 32] = [process.argv[2], ...process.argv.slice(3).map(Number)];

/** `GET https://a.example/` (RFC 9204, appendix A), and the control stream of HTTP/3 with empty SETTINGS. */
const get = Buffer.from("01100000d1d7c15009612e6578616d706c65", "hex");
const control = Buffer.from("000400", "hex");

const { Config, Connection } = nativeQuic();
const config = Config.withBoringSslCtx(false, false, null, null, null, null);
config.setApplicationProtos(["h3"]);
config.setMaxIdleTimeout(600_000);
config.setMaxRecvUdpPayloadSize(1500);
config.setMaxSendUdpPayloadSize(1350);
config.setInitialMaxData(1024 * 1024);
config.setInitialMaxStreamDataBidiLocal(64 * 1024);
config.setInitialMaxStreamDataUni(64 * 1024);
config.setInitialMaxStreamsUni(16);

interface Conn {
  readonly native: NativeConn;
  /** Something has come, or a time is up. */
  advance(): void;
}

const remote = { host: "127.0.0.1", port };
const conns = new Map<string, Conn>();
/** Those whose times are looked at. */
const underWay = new Set<Conn>();
const packet = Buffer.alloc(1350);
const scratch = Buffer.alloc(64 * 1024);

const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
socket.connect(port, "127.0.0.1");
await once(socket, "connect");
const local = { host: "127.0.0.1", port: socket.address().port };
socket.on("message", (datagram) => {
  const isLong = ((datagram[0] ?? 0) & 0x80) !== 0;
  const dcid = isLong ? datagram.subarray(6, 6 + (datagram[5] ?? 0)) : datagram.subarray(1, 17);
  const conn = conns.get(dcid.toString("latin1"));
  if (conn === undefined) return;
  try {
    conn.native.recv(datagram, { from: remote, to: local });
  } catch {
    // It closes by itself.
  }
  conn.advance();
});
setInterval(() => {
  for (const conn of underWay) {
    if (conn.native.timeout() !== 0) continue;
    conn.native.onTimeout();
    conn.advance();
  }
}, 20);

/** Begins a connection. `advanced` is told whenever something has come, and gives true when it is done with it. */
function dial(advanced: (native: NativeConn) => boolean): void {
  const scid = randomBytes(16);
  const native = Connection.connect(null, scid, local, remote, config);
  const conn: Conn = {
    native,
    advance() {
      const isDone = advanced(native);
      for (let sent = native.send(packet); sent !== null; sent = native.send(packet))
        socket.send(Buffer.from(packet.subarray(0, sent[0])));
      if (isDone || native.isClosed()) underWay.delete(conn);
      if (native.isClosed() || native.isDraining()) conns.delete(scid.toString("latin1"));
    },
  };
  conns.set(scid.toString("latin1"), conn);
  underWay.add(conn);
  conn.advance();
}

if (mode === "handshakes") {
  let done = 0;
  const again = (): void => {
    let isOver = false;
    dial((native) => {
      if (isOver || !native.isEstablished()) return isOver;
      isOver = true;
      done++;
      native.close(true, 0x100, Buffer.alloc(0));
      setImmediate(again);
      return true;
    });
  };
  for (let i = 0; i < atOnce; i++) again();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = done;
  await new Promise((resolve) => setTimeout(resolve, amount * 1000));
  console.log((done - before) / amount);
} else {
  for (let open = 0; open < amount; open += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, amount - open) }, () => answered());
    await Promise.all(some);
  }
  console.log(amount);
  process.stdin.resume();
  await once(process.stdin, "end");
}
process.exit();

/** Opens a connection, and settles when its request is answered. */
function answered(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isAsked = false;
  let isAnswered = false;
  dial((native) => {
    if (!isAsked && native.isEstablished()) {
      isAsked = true;
      native.streamSend(2, control, false);
      native.streamSend(0, get, true);
    }
    if (isAsked) for (const id of native.readable()) if (isEnd(native, id) && id === 0) isAnswered = true;
    if (isAnswered) resolve();
    return isAnswered;
  });
  return promise;
}

function isEnd(native: NativeConn, id: number): boolean {
  for (;;) {
    const got = native.streamRecv(id, scratch);
    if (got === null) return false;
    if (got[1]) return true;
  }
}
