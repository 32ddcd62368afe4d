// Prepared statements of clients, under names that do not collide at a server: a client may get another server for each
// transaction, and the statement is prepared there when it is needed.

import { isAscii } from "node:buffer";
import { letter } from "../protocol/letters.ts";
import { headSize, message, readText } from "../protocol/messages.ts";
import { mayPreparedHaveSideEffects } from "./side-effects.ts";

/** A statement at servers: the same for all clients that have prepared the same text under the same parameters. */
export interface Statement {
  /** At servers. */
  readonly name: string;
  /** What stands behind the name in Parse: the text and the types of parameters. */
  readonly body: Buffer;
  /** The parameters of the session: servers read constants, such as times, by them when they prepare. */
  readonly terms: string;
  /** Running it may leave something in a session. */
  readonly hasSideEffects: boolean;
  /** The number of clients that have it. */
  users: number;
}

/** The statements of all clients of a pool. */
export class StatementTable {
  readonly #byKey = new Map<string, Statement>();
  #lastNumber = 0;

  /** To be given back by `release`. */
  acquire(body: Buffer, terms: string): Statement {
    const key = keyOf(body, terms);
    let statement = this.#byKey.get(key);
    if (statement === undefined) {
      const name = `${prefix}${++this.#lastNumber}`;
      const hasSideEffects = mayPreparedHaveSideEffects(body, 0, body.length);
      statement = { name, body: Buffer.from(body), terms, hasSideEffects, users: 0 };
      this.#byKey.set(key, statement);
    }
    statement.users++;
    return statement;
  }

  release(statement: Statement): void {
    if (--statement.users === 0) this.#byKey.delete(keyOf(statement.body, statement.terms));
  }
}

function keyOf(body: Buffer, terms: string): string {
  return `${terms}\0${body.toString("latin1")}`;
}

/** Whether the proxy may have given this name to a statement. */
export function isOfProxy(name: string): boolean {
  return name.startsWith(prefix);
}

const prefix = "hemi_";

/** Parse: the name of the client, and the rest. */
export function readParse(bytes: Buffer, start: number, end: number): { readonly name: string; readonly body: Buffer } {
  const { text, next } = readText(bytes, start + headSize, end);
  return { name: text, body: bytes.subarray(next, end) };
}

/**
 * Whether this message makes a server forget its unnamed statement, even if it fails: a Query, or a Parse of another
 * one. A server that cannot read it, such as a text in the encoding of the client, keeps what it has.
 */
export function surelyDropsUnnamed(type: number, bytes: Buffer, start: number, end: number): boolean {
  const isQuery = type === letter.query;
  if (!isQuery && (type !== letter.parse || bytes[start + headSize] !== 0)) return false;
  const text = start + headSize + (isQuery ? 0 : 1);
  const zero = bytes.indexOf(0, text);
  if (zero < 0 || zero + (isQuery ? 1 : 3) > end) return false;
  const behind = isQuery ? zero + 1 : zero + 3 + 4 * bytes.readUInt16BE(zero + 1);
  return behind === end && isAscii(bytes.subarray(text, zero));
}

export function parseMessage({ name, body }: Statement): Buffer {
  return message("P", `${name}\0`, body);
}

/** Asks a server to forget a statement. */
export function closeMessage(name: string): Buffer {
  return message("C", `S${name}\0`);
}

/** Bind: the portal, the name of the client's statement, and the rest. */
export function readBind(bytes: Buffer, start: number, end: number) {
  const portal = readText(bytes, start + headSize, end);
  const statement = readText(bytes, portal.next, end);
  return { portal: portal.text, name: statement.text, rest: bytes.subarray(statement.next, end) };
}

export function bindMessage(portal: string, name: string, rest: Buffer): Buffer {
  return message("B", `${portal}\0${name}\0`, rest);
}

/** Describe and Close: whether they are about a statement, and its name. */
export function readTarget(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly isStatement: boolean; readonly name: string } {
  return { isStatement: bytes[start + headSize] === 83, name: readText(bytes, start + headSize + 1, end).text };
}

export function describeMessage(name: string): Buffer {
  return message("D", `S${name}\0`);
}
