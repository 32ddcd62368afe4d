// What only reads goes to replicas, as long as they answer.

import { expect, test } from "vitest";
import { okPacket } from "./protocol/errors.ts";
import { headSize, packet } from "./protocol/packets.ts";
import { FakeServer, queriesIn, textResult } from "./testing/fake-server.ts";
import { known, proxy, query, replicas } from "./testing/proxied.ts";

test("what only reads goes to a replica, which is set like the session", async () => {
  await using writer = await FakeServer.listen({ answer: (command) => answerAs("writer", command) });
  await using replica = await FakeServer.listen({ answer: (command) => answerAs("replica", command) });
  await using site = await proxy(writer, `${known} .toReplicas = "replicas" .writerTime = 0s`, replicas(replica));
  const client = site.client();
  await client.logIn();
  const ask = async (sql: string): Promise<string> => {
    client.command(query, sql);
    const first = await client.next();
    if (first[headSize] === 0) return "";
    await client.next();
    const row = (await client.next()).toString("utf8", headSize + 1);
    await client.next();
    return row;
  };
  await ask("SET NAMES utf8mb4");
  await ask("use shop");
  expect(await ask("select 1")).toBe("replica");
  expect(await ask("select 1 for update")).toBe("writer");
  expect(await ask("select @@hostname")).toBe("writer");
  await ask("insert into a values (1)");
  expect(await ask("select 2")).toBe("replica");
  await ask("begin");
  expect(await ask("select 3")).toBe("writer");
  await ask("commit");
  expect(await ask("select 4")).toBe("replica");
  await ask("create temporary table t (id int)");
  expect(await ask("select 5")).toBe("writer");
  expect(queriesIn(replica.commands)).toEqual(["SET NAMES utf8mb4", "use shop", "select 1", "select 2", "select 4"]);
  client.socket.destroy();
});

/** `begin` opens a transaction; a SELECT has a result. */
function answerAs(name: string, command: Buffer): Buffer {
  const text = command.toString("utf8", 1);
  if (text.startsWith("select")) return textResult(name);
  return text === "begin" ? packet(1, Buffer.of(0, 0, 0, 3, 0, 0, 0)) : okPacket(1);
}

test("a replica that breaks off costs nothing, as long as it has not answered", async () => {
  await using writer = await FakeServer.listen({ answer: () => textResult("writer") });
  await using replica = await FakeServer.listen({ answer: (_, socket) => void socket.destroy() });
  await using site = await proxy(writer, `${known} .toReplicas = "replicas"`, replicas(replica));
  const client = site.client();
  await client.logIn();
  client.command(query, "select 1");
  await client.next();
  await client.next();
  expect((await client.next()).toString("utf8", headSize + 1)).toBe("writer");
  expect(queriesIn(replica.commands)).toEqual(["select 1"]);
  client.socket.destroy();
});

test("a replica that never greets is not waited for longer than a login may take", async () => {
  await using writer = await FakeServer.listen({ answer: () => textResult("writer") });
  await using replica = await FakeServer.listen({ first: Buffer.alloc(0) });
  const props = `${known} .toReplicas = "replicas" .loginTimeout = 2s`;
  await using site = await proxy(writer, props, replicas(replica));
  const client = site.client();
  await client.logIn();
  client.command(query, "select 1");
  await client.next();
  await client.next();
  expect((await client.next()).toString("utf8", headSize + 1)).toBe("writer");
  client.socket.destroy();
});
