// Replies of Redis, which have no types: each of these returns one that is as expected, or throws RedisFailure.

import { RedisFailure } from "./failure.ts";

export function textOf(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (Buffer.isBuffer(reply)) return reply.toString();
  throw unexpected("a text", reply);
}

/** Numbers of scripts with fractions are sent as texts. */
export function numberOf(reply: unknown): number {
  const number = typeof reply === "number" ? reply : Number(textOf(reply));
  if (Number.isNaN(number)) throw unexpected("a number", reply);
  return number;
}

export function bytesOf(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected("bytes", reply);
}

export function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected("a list", reply);
}

/** Of a list in which names and values alternate. */
export function pairsOf(reply: unknown): readonly (readonly [name: unknown, value: unknown])[] {
  const flat = listOf(reply);
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]] as const);
}

function unexpected(wanted: string, reply: unknown): RedisFailure {
  return new RedisFailure(`Redis answered ${reply === null ? "nothing" : typeof reply} where ${wanted} was expected`);
}
