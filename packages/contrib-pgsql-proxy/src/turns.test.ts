// Clients that take turns on one server, which answers as if it did what it is told.

import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { errorMessage } from "./protocol/errors.ts";
import { int32, message, MessageReader, readyIdle } from "./protocol/messages.ts";
import { fakeServer, welcome } from "./testing/fake-server.ts";
import { proxy } from "./testing/proxied.ts";

const answers: Readonly<Record<string, Buffer>> = {
  P: message("1"),
  B: message("2"),
  C: message("3"),
  E: message("C", "VACUUM\0"),
  S: readyIdle,
};

/** `told`: what it was told, each with its type; a Query is answered with its text as a tag. */
async function server() {
  const told: string[] = [];
  const readers = new Map<Socket, MessageReader>();
  const fake = await fakeServer((received, socket) => {
    if (received[0] === 0) return void socket.write(welcome);
    let reader = readers.get(socket);
    if (reader === undefined) {
      reader = new MessageReader({
        maxMessageSize: 1_000_000,
        message(type, bytes, start, end) {
          const letter = String.fromCharCode(type);
          const text = bytes.toString("utf8", start + 5, end - 1);
          told.push(`${letter} ${text}`.trim());
          const result = text === "FAIL" ? errorMessage("ERROR", "23505", "no") : message("C", `${text}\0`);
          if (letter === "Q") socket.write(Buffer.concat([result, readyIdle]));
          else if (letter === "E" && text.endsWith("\x01")) socket.write(message("s"));
          else socket.write(answers[letter] ?? Buffer.alloc(0));
        },
      });
      readers.set(socket, reader);
    }
    reader.add(received);
  });
  return { port: fake.port, told, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

const query = (text: string) => message("Q", `${text}\0`);
const parse = (text: string) => message("P", `\0${text}\0`, Buffer.alloc(2));
const run = Buffer.concat([message("B", "\0\0", Buffer.alloc(6)), message("E", "\0", int32(0)), message("S")]);

test("a client cannot run the unnamed statement of the client before it", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const [first, second] = [site.client(), site.client()];
  for (const client of [first, second]) {
    await client.logIn("of-the-user");
    await client.next(7);
  }
  first.send(Buffer.concat([parse("SELECT secret"), message("S")]));
  await first.next(9);
  // Its own one is still there.
  first.send(run);
  await first.next(12);
  expect(db.told.map((each) => each[0]).join("")).toBe("PSBES");
  db.told.length = 0;
  second.send(run);
  await second.next(10);
  expect(db.told.map((each) => each[0]).join("")).toBe("CBES");
  // The answer to what the proxy has put in is not for the client.
  expect(second.types.slice(7)).toBe("2CZ");
  db.told.length = 0;
  first.send(Buffer.concat([parse("SELECT 1"), run]));
  await first.next(16);
  second.send(Buffer.concat([parse("SELECT 2"), run]));
  await second.next(14);
  expect(db.told.map((each) => each[0]).join("")).toBe("PBESPBES");
});

test("a client cannot run it either behind a Parse that the server does not understand", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  let answers = 7;
  for (const wrong of [
    message("P", "\0SELECT 1"),
    message("P", "\0SELECT 1\0", Buffer.alloc(3)),
    parse("SELECT '\u00ff'"),
    query("VACUUM '\u00ff'"),
    message("Q", "VACUUM"),
  ]) {
    client.send(Buffer.concat([parse("SELECT secret"), message("S")]));
    await client.next((answers += 2));
    const next = site.client();
    await next.logIn("of-the-user");
    await next.next(7);
    db.told.length = 0;
    next.send(Buffer.concat([wrong, message("S"), run]));
    await expect.poll(() => db.told.length).toBe(6);
    expect(db.told.map((each) => each[0]).join("")).toBe(`C${String.fromCharCode(wrong[0] ?? 0)}SBES`);
    next.socket.destroy();
  }
});

test("what a client sends before its welcome is not for the next one", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const [first, second] = [site.client(), site.client()];
  await second.logIn("of-the-user");
  await second.next(7);
  await first.logIn("of-the-user", 1000, new Map([["search_path", "shop"]]));
  first.send(Buffer.concat([parse("SELECT secret"), message("S")]));
  await first.next(9);
  db.told.length = 0;
  second.send(run);
  await second.next(10);
  // Also without the query that restores parameters, which makes a server forget it.
  expect(db.told.map((each) => each[0]).join("")).toBe("QCBES");
});

test("an empty temporary table, and one that EXPLAIN ANALYZE makes, are gone for the next client", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  for (const [i, text] of ["SELECT 0", "EXPLAIN", "VACUUM"].entries()) {
    client.send(query(text));
    await client.next(9 + 2 * i);
  }
  expect(db.told).toEqual(["Q SELECT 0", "Q DISCARD ALL", "Q EXPLAIN", "Q DISCARD ALL", "Q VACUUM"]);
});

test("what a client has begun with holds again after RESET ALL and DISCARD ALL", async () => {
  const given = new Map([["search_path", "shop"]]);
  const restored = "Q SELECT pg_catalog.set_config(E'search_path', E'shop', false)";
  for (const [pooling, text] of [
    ["transaction", "RESET"],
    ["session", "RESET"],
    ["session", "DISCARD ALL"],
  ] as const) {
    await using db = await server();
    await using site = await proxy(db.port, `.poolSize = 1 .pooling = "${pooling}"`);
    const client = site.client();
    await client.logIn("of-the-user", 1000, given);
    await client.next(7);
    client.send(query(text));
    await client.next(9);
    client.send(query("VACUUM"));
    await client.next(11);
    expect(db.told, pooling).toEqual([restored, `Q ${text}`, restored, "Q VACUUM"]);
    client.socket.destroy();
  }
});

test("clients share a prepared statement only if its constants mean the same to them", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const named = message("P", "mine\0SELECT '1:00'::timestamptz\0", Buffer.alloc(2));
  const zones = ["UTC", "Asia/Tokyo", "UTC"];
  for (const [i, zone] of zones.entries()) {
    const client = site.client();
    const params = new Map(Object.entries({ TimeZone: zone, application_name: String(i) }));
    await client.logIn("of-the-user", 1000, params);
    await client.next(7);
    client.send(Buffer.concat([named, message("S")]));
    await client.next(9);
  }
  expect(db.told.filter((each) => each.startsWith("P"))).toHaveLength(2);
});

test("what a statement leaves that fails, or stops before its end, is gone for the next client", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  client.send(query("FAIL"));
  await client.next(9);
  client.send(query("VACUUM"));
  await client.next(11);
  expect(db.told.splice(0)).toEqual(["Q FAIL", "Q DISCARD ALL", "Q VACUUM"]);
  const some = message("E", "\0", int32(256));
  client.send(Buffer.concat([parse("SELECT 1"), run.subarray(0, 13), some, message("S")]));
  await client.next(15);
  client.send(query("VACUUM"));
  await client.next(17);
  expect(db.told.filter((each) => each.startsWith("Q"))).toEqual(["Q DISCARD ALL", "Q VACUUM"]);
});

test("a temporary table that a prepared statement makes without rows is gone for the next client", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  for (const [i, text] of ["SELECT * INTO TEMP a FROM b", "CREATE TEMP TABLE a AS TABLE b", "TABLE b"].entries()) {
    client.send(Buffer.concat([parse(text), run]));
    await client.next(11 + 4 * i);
  }
  expect(db.told.map((each) => (each === "Q DISCARD ALL" ? "Q" : each[0])).join("")).toBe("PBESQPBESQPBES");
});

test("statements that a client prepares right behind DISCARD ALL do not stay at the server", async () => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  const named = message("P", "mine\0SELECT 7\0", Buffer.alloc(2));
  client.send(Buffer.concat([query("DISCARD ALL"), named, message("S")]));
  await client.next(11);
  client.send(query("VACUUM"));
  await client.next(13);
  expect(db.told.filter((each) => each.startsWith("Q"))).toEqual(["Q DISCARD ALL", "Q DISCARD ALL", "Q VACUUM"]);
});

test.each([
  ["Flush", message("H", "x")],
  ["CopyDone", message("c", "x")],
  ["CopyFail", message("f", "x".repeat(10_000))],
])("a malformed %s does not reach the server, which would ignore the next client", async (_, malformed) => {
  await using db = await server();
  await using site = await proxy(db.port, ".poolSize = 1");
  const [first, second] = [site.client(), site.client()];
  for (const client of [first, second]) {
    await client.logIn("of-the-user");
    await client.next(7);
  }
  first.send(malformed, malformed.length);
  expect(await first.error()).toMatchObject({ state: "08P01" });
  second.send(query("VACUUM"));
  await second.next(9);
  expect(db.told).toEqual(["Q VACUUM"]);
});
