// The peer of HTTP/3: the server side of the native package with a bare handler. It speaks as much of HTTP/3 as a load
// needs: SETTINGS, and the same response to each request, of SIZE bytes. Its argument is the folder of the certificate.

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { nativeQuic, type NativeConn } from "../native-quic.ts";

const port = Number(process.env["PORT"]);
const size = Number(process.env["SIZE"] ?? 13);
const pem = readFileSync(join(process.argv[2] ?? ".", "server.pem"));
const local = { host: "127.0.0.1", port };

const content = size === 13 ? Buffer.from("hello, world!") : Buffer.alloc(64 * 1024, "x");
const contentLength = Buffer.from(String(size));
// `:status 200`, `content-type text/plain;charset=utf-8`, and `content-length` (RFC 9204, appendix A).
const fields = Buffer.concat([Buffer.from("0000d9f654", "hex"), Buffer.from([contentLength.length]), contentLength]);
const dataHead = Buffer.alloc(5);
dataHead.writeUInt32BE(0x80000000 + size, 1);
const head = Buffer.concat([Buffer.from([0x01, fields.length]), fields, dataHead]);
const small = Buffer.concat([head, content]);
const control = Buffer.from("000400", "hex");

const { Config, Connection } = nativeQuic();
const config = Config.withBoringSslCtx(false, false, null, [pem], [pem], null);
config.setApplicationProtos(["h3"]);
config.setMaxIdleTimeout(60_000);
config.setMaxRecvUdpPayloadSize(1500);
config.setMaxSendUdpPayloadSize(1350);
config.setInitialMaxData(1024 * 1024);
config.setInitialMaxStreamDataBidiRemote(256 * 1024);
config.setInitialMaxStreamDataUni(64 * 1024);
config.setInitialMaxStreamsBidi(32);
config.setInitialMaxStreamsUni(16);
config.setDisableActiveMigration(true);
config.enablePacing(false);

class BareConn {
  readonly native: NativeConn;
  readonly remote: { readonly host: string; readonly port: number };
  /** Large responses: what is left of each, in bytes. */
  readonly left = new Map<number, number>();
  isGreeted = false;
  timer: NodeJS.Timeout | undefined;

  constructor(native: NativeConn, remote: BareConn["remote"]) {
    this.native = native;
    this.remote = remote;
  }
}

const conns = new Map<string, BareConn>();
const packet = Buffer.alloc(1350);
const scratch = Buffer.alloc(64 * 1024);
let dirty = new Set<BareConn>();

const socket = createSocket("udp4");
socket.on("message", (datagram, from) => {
  const isLong = ((datagram[0] ?? 0) & 0x80) !== 0;
  const dcid = (isLong ? datagram.subarray(6, 6 + (datagram[5] ?? 0)) : datagram.subarray(1, 17)).toString("latin1");
  const remote = { host: from.address, port: from.port };
  const conn = conns.get(dcid) ?? (isLong ? begin(dcid, remote) : undefined);
  if (conn === undefined) return;
  attempt(() => conn.native.recv(datagram, { from: remote, to: local }));
  if (dirty.size === 0) setImmediate(endTurn);
  dirty.add(conn);
});
socket.bind(port, "127.0.0.1", () => createServer().listen(port, "127.0.0.1"));

function begin(dcid: string, remote: BareConn["remote"]): BareConn {
  const scid = randomBytes(16);
  const conn = new BareConn(Connection.accept(scid, null, local, remote, config), remote);
  conns.set(dcid, conn);
  conns.set(scid.toString("latin1"), conn);
  return conn;
}

function endTurn(): void {
  const all = dirty;
  dirty = new Set();
  for (const conn of all) advance(conn);
}

function advance(conn: BareConn): void {
  const { native } = conn;
  if (!conn.isGreeted && native.isEstablished()) {
    conn.isGreeted = true;
    native.streamSend(3, control, false);
  }
  if (conn.isGreeted) for (const id of native.readable()) read(conn, id);
  for (const id of conn.left.keys()) sendMore(conn, id);
  for (;;) {
    const sent = attempt(() => native.send(packet));
    if (sent === undefined || sent === null) break;
    socket.send(Buffer.from(packet.subarray(0, sent[0])), conn.remote.port, conn.remote.host);
  }
  clearTimeout(conn.timer);
  if (native.isClosed()) {
    for (const [id, each] of conns) if (each === conn) conns.delete(id);
    return;
  }
  const timeout = native.timeout();
  if (timeout === null) return;
  conn.timer = setTimeout(() => {
    native.onTimeout();
    advance(conn);
  }, timeout);
}

function read(conn: BareConn, id: number): void {
  for (;;) {
    const got = attempt(() => conn.native.streamRecv(id, scratch));
    if (got === undefined || got === null) return;
    if (!got[1]) continue;
    if (id % 4 === 0) answer(conn, id);
    return;
  }
}

function answer(conn: BareConn, id: number): void {
  if (size === 13) {
    attempt(() => conn.native.streamSend(id, small, true));
    return;
  }
  attempt(() => conn.native.streamSend(id, head, false));
  conn.left.set(id, size);
}

function sendMore(conn: BareConn, id: number): void {
  for (let left = conn.left.get(id) ?? 0; left > 0;) {
    const piece = content.subarray(0, left);
    const taken = attempt(() => conn.native.streamSend(id, piece, piece.length === left)) ?? 0;
    left -= taken;
    conn.left.set(id, left);
    if (taken < piece.length) return;
  }
  conn.left.delete(id);
}

/** `undefined`: the library refuses it. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
