// The first message of a client, which has no type ("StartupMessage", "SSLRequest", "CancelRequest").

import { int32, message, ProtocolError, readText } from "./messages.ts";
import { readOptions } from "./startup-options.ts";

/** What a client begins with. */
export type Startup =
  | { readonly kind: "tls" }
  | { readonly kind: "gss" }
  | { readonly kind: "cancel"; readonly id: number; readonly key: number }
  | {
      readonly kind: "session";
      readonly user: string;
      readonly database: string;
      /** Those that are parameters of the server, such as `application_name`, also those within `options`. */
      readonly params: ReadonlyMap<string, string>;
      /** What the client has to be told if it asks for more than version 3.0. */
      readonly negotiation: Buffer | undefined;
    };

/** The message and the position behind it; `undefined`: it is not complete. Throws a ProtocolError. */
export function readStartup(bytes: Buffer): { readonly startup: Startup; readonly end: number } | undefined {
  if (bytes.length < 8) return undefined;
  const end = bytes.readUInt32BE(0);
  if (end < 8 || end > maxStartup) throw new ProtocolError("a first message with a length that lies");
  if (bytes.length < end) return undefined;
  const code = bytes.readUInt32BE(4);
  if (code === codes.tls) return { startup: { kind: "tls" }, end };
  if (code === codes.gss) return { startup: { kind: "gss" }, end };
  if (code === codes.cancel) {
    if (end !== 16) throw new ProtocolError("a request to cancel with a key of another length");
    return { startup: { kind: "cancel", id: bytes.readInt32BE(8), key: bytes.readInt32BE(12) }, end };
  }
  if (code >> 16 !== 3) throw new ProtocolError(`version ${code >> 16} of the protocol, not 3`);
  return { startup: readSession(bytes, end, code & 0xffff), end };
}

function readSession(bytes: Buffer, end: number, minor: number): Startup {
  const params = new Map<string, string>();
  const unknown: string[] = [];
  for (let at = 8; at < end - 1;) {
    const name = readText(bytes, at, end);
    const value = readText(bytes, name.next, end);
    if (name.text.startsWith("_pq_.")) unknown.push(name.text);
    else params.set(name.text, value.text);
    at = value.next;
  }
  const user = params.get("user") ?? "";
  const database = params.get("database") ?? user;
  if (params.get("replication") !== undefined) throw new ProtocolError("a session for replication");
  const options = readOptions(params.get("options") ?? "");
  for (const name of ["user", "database", "options"]) params.delete(name);
  for (const [name, value] of options) if (!params.has(name)) params.set(name, value);
  const isNewer = minor > 0 || unknown.length > 0;
  const negotiation = isNewer
    ? message("v", int32(0), int32(unknown.length), ...unknown.map((each) => `${each}\0`))
    : undefined;
  return { kind: "session", user, database, params, negotiation };
}

/** The first message of a session with a server. */
export function startupMessage(user: string, database: string, params: ReadonlyMap<string, string>): Buffer {
  const texts = ["user", user, "database", database, ...[...params].flat()].map((text) => `${text}\0`).join("");
  const body = Buffer.concat([int32(0x30000), Buffer.from(`${texts}\0`)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

/** Asks a server for TLS. */
export const tlsRequest: Buffer = Buffer.concat([int32(8), int32(80_877_103)]);

/** Asks a server, on a connection of its own, to cancel what a session does. */
export function cancelRequest(id: number, key: Buffer): Buffer {
  return Buffer.concat([int32(12 + key.length), int32(codesCancel), int32(id), key]);
}

const codesCancel = 80_877_102;
const codes = { tls: 80_877_103, gss: 80_877_104, cancel: codesCancel } as const;

/** What PostgreSQL takes (`MAX_STARTUP_PACKET_LENGTH`). */
const maxStartup = 10_000;
