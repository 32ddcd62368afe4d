// The contract of ContentFilter, as tests that every filter has to pass.

import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ContractTest } from "./contract-test.ts";
import { resourcesBeside } from "./resources-beside.ts";
import type { ContentFilter } from "../web/content/filter.ts";

/** A filter with a content that shows what it does. */
export interface FilterSubject {
  /** A new one for each test. */
  readonly make: () => ContentFilter;
  /** Some bytes that the filter changes; a few hundred: they are split at each. */
  readonly input: Uint8Array;
  /** What has to come of it. */
  readonly expected: Uint8Array;
  /** What comes of no content. Default: nothing. */
  readonly expectedOfNothing?: Uint8Array;
  /**
   * Makes of any bytes what may be pushed in pieces of their own, as by encoding each. Default: they are pushed as they
   * are.
   */
  readonly write?: (bytes: Uint8Array) => Uint8Array;
  /** Makes what came out comparable with `expected`, as by decoding it. Default: it is. */
  readonly read?: (output: Uint8Array) => Uint8Array;
  /**
   * Of what came out before the end, up to a `flush`: what is read of it has to be the whole of `expected`. Default: a
   * flush promises nothing.
   */
  readonly readFlushed?: (output: Uint8Array) => Uint8Array;
}

/** The tests for one filter. They look at memory and handles of the process: run them one after the other. */
export function filterTests(subject: FilterSubject): readonly ContractTest[] {
  const { make, input, expected, expectedOfNothing = noBytes, write = asItIs, read = asItIs, readFlushed } = subject;
  const tests: ContractTest[] = [
    {
      name: "content makes the same wherever it is split in two",
      async run() {
        for (let at = 0; at <= input.length; at++) {
          const output = await runThrough(make(), [input.subarray(0, at), input.subarray(at)]);
          assertSame(read(output), expected, `split at ${at}`);
        }
      },
    },
    {
      name: "content makes the same byte by byte",
      async run() {
        const pieces = Array.from(input, (_byte, i) => input.subarray(i, i + 1));
        assertSame(read(await runThrough(make(), pieces)), expected, "byte by byte");
      },
    },
    {
      name: "no content, and pieces of nothing, make what nothing has to make",
      async run() {
        assertSame(read(await runThrough(make(), [])), expectedOfNothing, "no piece");
        assertSame(read(await runThrough(make(), [noBytes, noBytes])), expectedOfNothing, "two pieces of nothing");
      },
    },
    {
      name: "content makes the same at once, where the filter takes it so",
      run() {
        const filter = make();
        const whole = filter.whole?.(input);
        filter.close?.();
        if (whole !== undefined) assertSame(read(whole), expected, "whole");
      },
    },
    {
      name: "a taker that is slow gets the next piece when it is ready, and holds the sender back",
      async run() {
        const filter = make();
        let isTaking = false;
        let handedOn = 0;
        const next = async (piece: Uint8Array): Promise<void> => {
          assert.ok(!isTaking, "a piece was handed on while the one before it was not taken");
          isTaking = true;
          await turns(3);
          handedOn += piece.length;
          isTaking = false;
        };
        const step = async (taken: void | Promise<void>): Promise<void> => {
          await taken;
          assert.ok(!isTaking, "the filter was done with a piece before its taker was");
        };
        try {
          for (let i = 0; i < 20; i++) await step(filter.push(write(varied(16 * 1024, i)), next));
          await step(filter.flush?.(next));
          await step(filter.end?.(next));
        } finally {
          filter.close?.();
        }
        assert.ok(handedOn > 0, "nothing was handed on");
      },
    },
    {
      name: "what the taker throws comes out, and the filter can be closed then",
      async run() {
        const filter = make();
        const error = new Error("the taker fails");
        const next = (): never => {
          throw error;
        };
        await assert.rejects(
          async () => {
            for (let i = 0; i < 20; i++) await filter.push(write(varied(16 * 1024, i)), next);
            await filter.end?.(next);
          },
          (thrown) => thrown === error,
        );
        filter.close?.();
      },
    },
    {
      name: "a filter that is closed in the middle leaves no handle and no timer",
      async run() {
        await turns(10);
        const before = process.getActiveResourcesInfo();
        const filter = make();
        await filter.push(write(varied(100_000, 1)), noTaker);
        await filter.push(input.subarray(0, input.length / 2), noTaker);
        filter.close?.();
        // What runs on a thread has to come back first.
        for (let i = 0; i < 1000 && resourcesBeside(before).length > 0; i++) await turns(1);
        assert.deepEqual(resourcesBeside(before), []);
      },
    },
    {
      name: "48 MiB of content go through without staying",
      async run() {
        const filter = make();
        const before = await memoryInUse();
        for (let i = 0; i < 48; i++) {
          const piece = varied(1024 * 1024, i);
          for (let at = 0; at < piece.length; at += 64 * 1024)
            await filter.push(write(piece.subarray(at, at + 64 * 1024)), noTaker);
        }
        const grown = await growthSince(before);
        await filter.end?.(noTaker);
        filter.close?.();
        assert.ok(grown < maxGrowth, `${Math.round(grown / 1024)} KiB are held`);
      },
    },
  ];
  if (readFlushed !== undefined) {
    tests.push({
      name: "after a flush, all that was pushed has been handed on",
      async run() {
        const filter = make();
        const output: Uint8Array[] = [];
        const next = (piece: Uint8Array): void => void output.push(Buffer.from(piece));
        await filter.push(input, next);
        await filter.flush?.(next);
        assertSame(readFlushed(Buffer.concat(output)), expected, "flushed");
        // A second one, with nothing between, is harmless, and the end still comes.
        await filter.flush?.(next);
        await filter.end?.(next);
        filter.close?.();
        assertSame(read(Buffer.concat(output)), expected, "at the end");
      },
    });
  }
  return tests;
}

async function runThrough(filter: ContentFilter, pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const output: Uint8Array[] = [];
  const next = (piece: Uint8Array): void => void output.push(Buffer.from(piece));
  try {
    for (const piece of pieces) await filter.push(piece, next);
    await filter.end?.(next);
  } finally {
    filter.close?.();
  }
  return Buffer.concat(output);
}

/** Bytes that no coding makes much smaller. */
function varied(size: number, seed: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** In bytes: what a filter may hold of a long content, of many times the size. */
const maxGrowth = 12 * 1024 * 1024;

/** In bytes, by which more memory is in use. What is let go is freed sooner or later; what is held never is. */
async function growthSince(before: number): Promise<number> {
  let grown = (await memoryInUse()) - before;
  for (let i = 0; i < 50 && grown >= maxGrowth; i++) grown = (await memoryInUse()) - before;
  return grown;
}

/** After a collection, in bytes: what JavaScript holds, buffers included. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString("--expose-gc");
  // What is freed by one collection may be counted until the next turn.
  for (let i = 0; i < 3; i++) {
    runInNewContext("gc()");
    await turns(1);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function assertSame(actual: Uint8Array, expected: Uint8Array, when: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  assert.equal(Buffer.from(actual).toString("latin1"), Buffer.from(expected).toString("latin1"), when);
}

function asItIs(output: Uint8Array): Uint8Array {
  return output;
}

function noTaker(): void {}

const noBytes = new Uint8Array();
