// Tokens that clients bend: whoever once had an address must not be able to prove it for ever.

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { RetryTokens } from "./retry-tokens.ts";

const client = { address: "192.0.2.1", port: 4711 };
const newId = Buffer.alloc(16, 0xee);
const macSize = 16;

function makeTokens() {
  const clock = { now: 1_800_000_000_000 };
  return { clock, tokens: new RetryTokens(randomBytes(48), () => clock.now) };
}

test("a token proves the address that it was sent to, at once and not later", () => {
  const { clock, tokens } = makeTokens();
  const dcid = randomBytes(8);
  const token = tokens.make(client, dcid, newId);
  expect(tokens.read(token, client, newId)).toEqual(dcid);
  expect(tokens.read(token, { ...client, port: 4712 }, newId)).toBeUndefined();
  expect(tokens.read(token, client, randomBytes(16))).toBeUndefined();
  expect(tokens.read(token.subarray(0, macSize + 3), client, newId)).toBeUndefined();
  clock.now += 31_000;
  expect(tokens.read(token, client, newId)).toBeUndefined();
});

test("a client cannot move the time of a token into the connection ID, to put another in its place", () => {
  const { clock, tokens } = makeTokens();
  const dcid = Buffer.concat([Buffer.alloc(4, 0xff), randomBytes(8)]);
  const token = tokens.make(client, dcid, newId);
  const [mac, time] = [token.subarray(0, macSize), token.subarray(macSize, macSize + 4)];
  const later = [Buffer.concat([mac, dcid]), client, Buffer.concat([newId, time])] as const;
  const end = newId.subarray(12);
  const earlier = [Buffer.concat([mac, end, time, dcid]), client, newId.subarray(0, 12)] as const;
  for (const age of [0, 365 * 24 * 3600 * 1000]) {
    clock.now += age;
    expect([tokens.read(...later), tokens.read(...earlier)]).toEqual([undefined, undefined]);
  }
});

test("a token of a time that is still to come proves nothing", () => {
  const { clock, tokens } = makeTokens();
  const token = tokens.make(client, randomBytes(8), newId);
  clock.now -= 60_000;
  expect(tokens.read(token, client, newId)).toBeUndefined();
});
