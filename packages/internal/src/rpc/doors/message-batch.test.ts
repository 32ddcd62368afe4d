// Small messages of a stream share a piece of content, in their order, and a slow client slows who sends them.

import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { EnvelopeReader } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { MessageBatch, type SendPiece } from "./message-batch.ts";

function sentBy(answer: () => void | Promise<void> = () => undefined): { batch: MessageBatch; pieces: Buffer[] } {
  const pieces: Buffer[] = [];
  const send: SendPiece = (piece, done) => {
    pieces.push(Buffer.from(piece));
    done?.();
    return answer();
  };
  return { batch: new MessageBatch(send), pieces };
}

function messagesIn(pieces: readonly Buffer[]): string[] {
  const reader = new EnvelopeReader(1024 * 1024);
  const found: string[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let next = reader.take(); next !== undefined; next = reader.take())
      found.push(Buffer.from(next.bytes).toString());
  }
  return found;
}

const text = (message: string): Buffer => Buffer.from(message);

test("messages of one turn go out as one piece at its end", async () => {
  const { batch, pieces } = sentBy();
  for (const message of ["one", "two", "three"]) expect(batch.add(0, text(message))).toBeUndefined();
  expect(pieces).toHaveLength(0);
  await setImmediate();
  expect(pieces).toHaveLength(1);
  expect(messagesIn(pieces)).toEqual(["one", "two", "three"]);
});

test("no message passes another one, however large they are", async () => {
  const { batch, pieces } = sentBy();
  const messages = Array.from({ length: 40 }, (_, i) => String(i).padEnd(i % 7 === 0 ? 5000 : 900, "."));
  for (const message of messages) void batch.add(0, text(message));
  batch.flush();
  expect(messagesIn(pieces)).toEqual(messages);
  expect(pieces.length).toBeLessThan(messages.length / 2);
  await setImmediate();
  expect(messagesIn(pieces)).toEqual(messages);
});

test("who sends to a slow client waits before the next message", async () => {
  const { batch } = sentBy(() => new Promise<void>(() => undefined));
  expect(batch.add(0, text("one"))).toBeUndefined();
  await setImmediate();
  expect(batch.add(0, text("two"))).toBeInstanceOf(Promise);
});
