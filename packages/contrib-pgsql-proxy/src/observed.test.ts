// What operators see of the sessions: a line in the log for each, and metrics by user and database.

import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metrics } from "@hemi/internal";
import { expect, test } from "vitest";
import { message } from "./protocol/messages.ts";
import { startupMessage } from "./protocol/startup.ts";
import { fakeServer, friendly } from "./testing/fake-server.ts";
import { proxy } from "./testing/proxied.ts";

const users = '.users = (["name": "ann", "password": "geheim", "databases": ("shop", "stock")])';

test("each session has a line with its counts and times, and nothing has a query or a password", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-pgsql-"));
  const file = join(folder.path, "log");
  const metrics = new Metrics();
  await using server = await fakeServer(friendly);
  {
    const router = `.connLog = ["file": "${file}", "format": "json"]`;
    await using site = await proxy(server.port, "", users, { router, metrics });
    const client = site.client();
    await client.logIn("geheim");
    await client.next(7);
    client.send(message("Q", "select secret\0"));
    await client.next(9);
    client.send(message("Q", "select other\0"));
    await client.next(11);
    const counted = metrics.report().filter(({ group }) => group === "database");
    expect(counted).toEqual([{ group: "database", labels: ["main", "ann", "shop"], values: [1, 1, 2, 2] }]);
    client.socket.end(message("X"));
  }
  const line = await readFile(file, "utf8");
  expect(JSON.parse(line)).toMatchObject({
    notes: { user: "ann", database: "shop", transactions: 2, queries: 2 },
    node: `127.0.0.1:${server.port}`,
    endReason: "complete",
  });
  expect(line).toContain('"totalTime":');
  const all = metrics.report();
  expect(`${line}${JSON.stringify(all)}`).not.toMatch(/geheim|select|secret/);
  expect(all.find(({ group }) => group === "database")?.values.slice(0, 2), "nobody is left").toEqual([0, 0]);
});

test("names that clients invent are no labels of metrics", async () => {
  const metrics = new Metrics();
  await using server = await fakeServer(friendly);
  await using site = await proxy(server.port, '.pooling = "session"', "", { metrics });
  for (let i = 0; i < 5; i++) {
    const client = site.client();
    client.send(startupMessage(`user${i}`, `database${i}`, new Map()));
    await client.next(4);
    client.socket.destroy();
  }
  const labels = metrics.report().flatMap((block) => (block.group === "database" ? [block.labels] : []));
  expect(labels).toEqual([["main", "other", "other"]]);
});
