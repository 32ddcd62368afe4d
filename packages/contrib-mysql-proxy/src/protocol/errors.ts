// Errors as clients of MySQL get them ("ERR_Packet"), and OK packets of the proxy itself.

import { statusFlags } from "./capabilities.ts";
import { int16, packet, PayloadReader, ProtocolError } from "./packets.ts";

/** Number and SQLSTATE of errors of the proxy ("Server Error Message Reference"). */
export const errors = {
  handshake: [1043, "08S01"],
  databaseDenied: [1044, "42000"],
  accessDenied: [1045, "28000"],
  unknownCommand: [1047, "08S01"],
  serverLost: [1053, "08S01"],
  unknownThread: [1094, "HY000"],
  tooLarge: [1153, "08S01"],
  outOfOrder: [1156, "08S01"],
  timeout: [1159, "08S01"],
  /** ER_CONNECT_TO_FOREIGN_DATA_SOURCE. Clients of MariaDB do not take 2003 of a server. */
  cannotConnect: [1429, "HY000"],
  tlsRequired: [3159, "HY000"],
  idle: [4031, "HY000"],
} as const satisfies Readonly<Record<string, readonly [code: number, state: string]>>;

export type ErrorName = keyof typeof errors;

/** The payload of an error. */
export function errorPayload(name: ErrorName, text: string): Buffer {
  const [code, state] = errors[name];
  return Buffer.concat([Buffer.of(errorMark), int16(code), Buffer.from(`#${state}${text}`)]);
}

/** Number and text of an error of a server. The first one may lack its SQLSTATE. */
export function readError(payload: Buffer): { readonly code: number; readonly text: string } {
  const reader = new PayloadReader(payload);
  if (reader.integer(1) !== errorMark) throw new ProtocolError("something else than an error");
  const code = reader.integer(2);
  const text = reader.bytes(reader.left).toString("utf8");
  return { code, text: text.replace(/^#.{5}/, "") };
}

/** An OK packet: nothing was changed, and no transaction is open. */
export function okPacket(sequence: number): Buffer {
  return packet(sequence, Buffer.of(0, 0, 0, statusFlags.autocommit, 0, 0, 0));
}

/** The first byte of an error. */
export const errorMark = 0xff;
