// The contract of StaterPart, as tests that every stater has to pass.

import assert from "node:assert/strict";
import type { SessionChange, StaterPart, StoredSession } from "../web/session/stater.ts";
import type { ContractTest } from "./contract-test.ts";

/** A stater for one test: empty, with the defaults of `idleTimeout` and `maxLifetime`, which are 1 and 30 days. */
export interface StaterSubject extends AsyncDisposable {
  readonly stater: StaterPart;
  /** Lets time go on, in seconds; a store with a clock of its own moves on a little more. */
  readonly wait: (seconds: number) => void | Promise<void>;
}

export interface StaterTestOptions {
  /** Whether the stater itself stores sessions, so that it can end them and detect conflicts. Default: true. */
  readonly stores?: boolean;
}

/** The tests for one stater. `make` is called for each. */
export function staterTests(
  make: () => Promise<StaterSubject>,
  { stores = true }: StaterTestOptions = {},
): readonly ContractTest[] {
  const test = (name: string, run: (subject: StaterSubject) => Promise<void>): ContractTest => ({
    name,
    async run() {
      await using subject = await make();
      await run(subject);
    },
  });
  const common = [
    test("a session is found by its token, and has what was stored", async ({ stater }) => {
      const token = await written(stater, undefined, { a: 1, b: "ü" });
      assert.deepEqual(valuesOf(await stater.find(token)), { a: 1, b: "ü" });
      const changed = await written(stater, token, { b: undefined, c: [true, null] });
      assert.deepEqual(valuesOf(await stater.find(changed)), { a: 1, c: [true, null] });
    }),
    test("tokens cannot be guessed, and are good for cookies", async ({ stater }) => {
      const tokens = await Promise.all(Array.from({ length: 100 }, () => written(stater, undefined, { a: 1 })));
      assert.equal(new Set(tokens).size, 100);
      for (const token of tokens) assert.match(token, /^[\w-]{22,3900}$/);
    }),
    test("a token that is made up or was changed finds nothing, and nothing is written under it", async ({
      stater,
    }) => {
      const token = await written(stater, undefined, { a: 1 });
      const changed = `${token.slice(0, -6)}${token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA"}`;
      for (const forged of ["", "x", "A".repeat(43), changed, `${token}A`, "\0", "A".repeat(10_000), "%00"]) {
        assert.equal(await stater.find(forged), undefined, forged);
        assert.equal(await stater.write(forged, [change("a", 2)]), "gone");
        assert.equal(await stater.rotate(forged), undefined);
        await stater.destroy(forged);
      }
      assert.deepEqual(valuesOf(await stater.find(token)), { a: 1 });
    }),
    test("names and values of any kind come back as they were", async ({ stater }) => {
      const values = JSON.parse(
        '{"__proto__": 1, "constructor": {"a": null}, "": "", "\\u0000": "\\u2028\'\\""}',
      ) as Values;
      const token = await written(stater, undefined, values);
      assert.deepEqual(valuesOf(await stater.find(token)), values);
    }),
    test("a session ends when it was idle for too long, or has lasted for too long", async ({ stater, wait }) => {
      const idle = await written(stater, undefined, { a: 1 });
      await wait(day - margin);
      let used = await written(stater, undefined, { a: 1 });
      assert.notEqual(await stater.find(idle), undefined);
      await wait(2 * margin);
      if (!stores) assert.equal(await stater.find(idle), undefined);
      for (let i = 0; i < 31 && (await stater.find(used)) !== undefined; i++) {
        used = (await stater.rotate(used)) ?? used;
        await wait(day - margin);
      }
      assert.equal(await stater.find(used), undefined);
    }),
    test("a session that is read all the time ends after its whole lifetime only", async ({ stater, wait }) => {
      let token = await written(stater, undefined, { a: 1 });
      for (let halfDays = 0; halfDays < 59; halfDays++) {
        await wait(day / 2);
        assert.deepEqual(valuesOf(await stater.find(token)), { a: 1 }, `after ${halfDays / 2} days`);
        token = stater.renewed?.(token) ?? token;
      }
      await wait(day / 2);
      assert.equal(await stater.find(token), undefined);
    }),
    test("a session that is written all the time ends after its whole lifetime only", async ({ stater, wait }) => {
      let token = await written(stater, undefined, { a: 0 });
      let found = await stater.find(token);
      for (let halfDays = 1; halfDays < 60; halfDays++) {
        await wait(day / 2);
        const write = await stater.write(token, [change("a", halfDays)], found === undefined ? {} : { found });
        assert(typeof write === "object" && "token" in write, `after ${halfDays / 2} days`);
        ({ token, session: found } = write);
      }
      await wait(day / 2);
      assert.equal(await stater.write(token, [change("a", 0)], found === undefined ? {} : { found }), "gone");
    }),
    test("a session that has ended is neither rotated nor renewed", async ({ stater, wait }) => {
      const token = await written(stater, undefined, { a: 1 });
      await wait(day + margin);
      assert.equal(stater.renewed?.(token), undefined);
      assert.equal(await stater.rotate(token), undefined);
      assert.equal(await stater.write(token, [change("a", 2)]), "gone");
    }),
    test("a rotated session goes on under another token", async ({ stater }) => {
      const token = await written(stater, undefined, { a: 1 });
      const next = await stater.rotate(token);
      assert(next !== undefined && next !== token);
      assert.deepEqual(valuesOf(await stater.find(next)), { a: 1 });
    }),
  ];
  const storing = [
    test("a session begins under the token that the caller has made, of any framework's form", async ({ stater }) => {
      // 24 and 32 random bytes, as express-session and Hemi make them; another one has the same begin.
      for (const token of ["q1-_ZkZ2nYxw0Wc5tLr8Bv7mKj3hGf9d", `${"A".repeat(30)}bcdefghijklmn`, "A".repeat(43)]) {
        const made = await stater.write(undefined, [change("a", token)], { newToken: token });
        assert(made !== "gone" && "token" in made);
        assert.equal(made.token, token);
        assert.deepEqual(valuesOf(await stater.find(token)), { a: token });
        assert.equal(await written(stater, token, { b: 1 }), token);
        const next = (await stater.rotate(token)) ?? "";
        assert.equal(await stater.find(token), undefined);
        assert.deepEqual(valuesOf(await stater.find(next)), { a: token, b: 1 });
        await stater.destroy(next);
        assert.equal(await stater.find(next), undefined);
      }
    }),
    test("the token before a rotation, and that of a destroyed session, are no good", async ({ stater }) => {
      const token = await written(stater, undefined, { a: 1 });
      const next = (await stater.rotate(token)) ?? "";
      assert.equal(await stater.find(token), undefined);
      await stater.destroy(next);
      assert.equal(await stater.find(next), undefined);
      assert.equal(await stater.write(next, [change("a", 2)]), "gone");
    }),
    test("a session that is rotated or destroyed while it is looked for is found whole or not at all", async ({
      stater,
    }) => {
      for (const end of ["rotate", "destroy"] as const) {
        const token = await written(stater, undefined, { a: 1 });
        const [found] = await Promise.all([stater.find(token), stater[end](token)]);
        assert.deepEqual(found === undefined ? { a: 1 } : valuesOf(found), { a: 1 });
      }
    }),
    test("requests that change different entries at once lose nothing", async ({ stater }) => {
      const token = await written(stater, undefined, { start: 1 });
      await Promise.all(Array.from({ length: 50 }, (_, i) => written(stater, token, { [`n${i}`]: i })));
      assert.equal((await stater.find(token))?.size, 51);
    }),
    test("of changes with a version, one is made, and the others are told", async ({ stater }) => {
      const token = await written(stater, undefined, { a: 0 });
      const ifVersion = (await stater.find(token))?.get("a")?.version;
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          stater.write(token, [{ ...change("a", i), ifVersion }, change(`b${i}`, 1)]),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome !== "gone" && "token" in outcome).length, 1);
      assert.equal(outcomes.filter((outcome) => outcome !== "gone" && "conflict" in outcome).length, 4);
      // All of a change or none.
      assert.equal((await stater.find(token))?.size, 2);
    }),
    test("an entry that was removed and made anew has another version", async ({ stater }) => {
      const token = await written(stater, undefined, { a: 0 });
      const ifVersion = (await stater.find(token))?.get("a")?.version;
      await written(stater, token, { a: undefined });
      await written(stater, token, { a: 0 });
      assert.deepEqual(await stater.write(token, [{ ...change("a", 1), ifVersion }]), { conflict: "a" });
      assert.deepEqual(await stater.write(token, [{ ...change("a", 1), ifVersion: 0 }]), { conflict: "a" });
    }),
    test("a session that begins again under a token has no version of the one before", async ({ stater }) => {
      const token = "q1-_ZkZ2nYxw0Wc5tLr8Bv7mKj3hGf9d";
      await stater.write(undefined, [change("a", 1)], { newToken: token });
      const found = await stater.find(token);
      assert(found !== undefined);
      await stater.destroy(token);
      await stater.write(undefined, [change("a", 2)], { newToken: token });
      const late = { ...change("a", 3), ifVersion: found.get("a")?.version };
      assert.deepEqual(await stater.write(token, [late], { found }), { conflict: "a" });
      assert.deepEqual(valuesOf(await stater.find(token)), { a: 2 });
    }),
  ];
  return stores ? [...common, ...storing] : common;
}

type Values = Readonly<Record<string, unknown>>;

const day = 86_400;
/** In seconds: no test takes so long. */
const margin = 60;

function change(name: string, value: unknown): SessionChange {
  return { name, json: value === undefined ? undefined : JSON.stringify(value) };
}

/** Writes; returns the token to use from then on. */
async function written(stater: StaterPart, token: string | undefined, values: Values): Promise<string> {
  const outcome = await stater.write(
    token,
    Object.entries(values).map(([name, value]) => change(name, value)),
  );
  assert(outcome !== "gone" && "token" in outcome);
  return outcome.token;
}

function valuesOf(session: StoredSession | undefined): Values | undefined {
  if (session === undefined) return undefined;
  return Object.fromEntries([...session].map(([name, { json }]) => [name, JSON.parse(json) as unknown]));
}
