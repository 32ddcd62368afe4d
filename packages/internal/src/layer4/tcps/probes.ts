// Health checks of nodes that are reached by connections: TLS handshakes, SMTP greetings, and texts of one's own.

import { Buffer } from "node:buffer";
import type { ConnectionOptions } from "node:tls";
import type { Probe } from "../../backend/active-health.ts";
import { dialNode } from "../../backend/dial.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";

export const probeProps = {
  /**
   * Whether each node is checked at intervals. `tcp` connects to the node; with `tlsMode` use `tls`, which makes a
   * handshake. `smtp` expects the greeting 220. `redis` sends PING; a node that loads its data is unhealthy. `postgres`
   * begins a session, and goes no further; a server that starts up or shuts down is unhealthy. `mysql` logs in as the
   * user `hemi` without a password; a server that refuses it because of that is healthy. `expect` sends `healthSend`,
   * and expects an answer that contains `healthExpect`. An unhealthy node gets no connections until it has recovered.
   */
  healthCheck: prop.choice(["off", "tcp", "tls", "smtp", "redis", "postgres", "mysql", "expect"], {
    default: "off",
    reload: "live",
  }),
  /** With `healthCheck = "expect"`: what is sent after the connection stands. "": nothing. */
  healthSend: prop.string({ default: "", reload: "live" }),
  /** With `healthCheck = "expect"`: a text that has to be in the first 4 KB of the answer. */
  healthExpect: prop.string({ default: "", reload: "live" }),
};

export function probesOf(
  settings: Pick<PropsOf<typeof probeProps>, "healthSend" | "healthExpect">,
  tls: () => ConnectionOptions | undefined,
): Readonly<Record<string, Probe>> {
  const expecting =
    (send: () => string | Buffer, fits: (answer: string) => boolean): Probe =>
    (spec, timeout, signal) =>
      new Promise((resolve) => {
        const { socket, connectEvent } = dialNode(spec, tls());
        let answer = "";
        const end = (failure: string | undefined): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", aborted);
          socket.destroy();
          resolve(failure);
        };
        const aborted = (): void => end("the check was given up");
        const timer = setTimeout(() => end(`it did not answer as expected within ${timeout} ms`), timeout);
        signal.addEventListener("abort", aborted);
        socket.once(connectEvent, () => socket.write(send()));
        socket.on("data", (bytes: Buffer) => {
          answer += bytes.toString("latin1");
          if (fits(answer)) end(undefined);
          else if (answer.length > 4096) end("it did not answer as expected");
        });
        socket.on("error", (error) => end(error.message));
        socket.on("close", () => end("it closed the connection before it answered as expected"));
      });
  const handshake: Probe = (spec, timeout, signal) =>
    new Promise((resolve) => {
      const { socket, connectEvent } = dialNode(spec, tls() ?? { rejectUnauthorized: false });
      const end = (failure: string | undefined): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        socket.destroy();
        resolve(failure);
      };
      const aborted = (): void => end("the check was given up");
      const timer = setTimeout(() => end(`its handshake was not complete within ${timeout} ms`), timeout);
      signal.addEventListener("abort", aborted);
      socket.once(connectEvent, () => end(undefined));
      socket.on("error", (error) => end(error.message));
      socket.on("close", () => end("it closed the connection"));
    });
  return {
    tls: handshake,
    smtp: expecting(
      () => "",
      (answer) => /^220[ -]/.test(answer),
    ),
    redis: expecting(
      () => "PING\r\n",
      // Without its password it says so, and works.
      (answer) => /^(?:\+PONG|-NOAUTH)/.test(answer),
    ),
    postgres: expecting(() => pgsqlStart, isPgsqlReady),
    mysql: expecting(() => mysqlStart, isMysqlReady),
    expect: expecting(
      () => settings.healthSend,
      (answer) => answer.includes(settings.healthExpect),
    ),
  };
}

/** The message that begins a session (PostgreSQL, "Message Formats": StartupMessage). */
const pgsqlStart = ((): Buffer => {
  const params = Buffer.from("user\0hemi\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + params.length, 0);
  head.writeUInt32BE(0x30000, 4);
  return Buffer.concat([head, params]);
})();

/** It asks for a password, or refuses the user; but not because it cannot work now (57P03), or has its fill (53300). */
function isPgsqlReady(answer: string): boolean {
  if (answer.startsWith("R")) return true;
  const [, code] = /^E[^]{4}[^]*?\0C(\w{5})\0/.exec(answer) ?? [];
  return code !== undefined && code !== "57P03" && code !== "53300";
}

/**
 * The response to a greeting (MySQL, "HandshakeResponse41"), and an empty proof, in case the server asks for another
 * one. A login that is broken off counts against us at the server (`max_connect_errors`), one that is refused does not.
 */
const mysqlStart = ((): Buffer => {
  const head = Buffer.alloc(32);
  // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH
  head.writeUInt32LE(0x08_82_00, 0);
  head.writeUInt32LE(0xff_ff_ff, 4);
  head.writeUInt8(45, 8);
  const payload = Buffer.concat([head, Buffer.from("hemi\0\0mysql_native_password\0")]);
  return Buffer.concat([Buffer.of(payload.length, 0, 0, 1), payload, Buffer.of(0, 0, 0, 3)]);
})();

/** Behind its greeting, it lets the user in or refuses it; but not because it has its fill, or shuts down. */
function isMysqlReady(answer: string): boolean {
  const bytes = Buffer.from(answer, "latin1");
  let at = 0;
  for (let count = 0; at + 4 < bytes.length; count++) {
    const end = at + 4 + bytes.readUIntLE(at, 3);
    const mark = bytes[at + 4];
    if (end > bytes.length || (count === 0 && mark !== 10)) return false;
    if (mark === 0xff) return end >= at + 7 && !mysqlBusy.has(bytes.readUInt16LE(at + 5));
    if (mark === 0) return true;
    at = end;
  }
  return false;
}

/** ER_CON_COUNT_ERROR, ER_SERVER_SHUTDOWN, ER_HOST_IS_BLOCKED, ER_TOO_MANY_USER_CONNECTIONS. */
const mysqlBusy: ReadonlySet<number> = new Set([1040, 1053, 1129, 1203]);
