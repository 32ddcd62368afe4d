// `hemi backend`: nodes that an operator drains, while the program serves.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, run } from "./command.ts";
import { ask, serve } from "./program.ts";

vi.setConfig({ testTimeout: 300_000 });

/** A node that says its name, and lets requests for /slow wait for `release`. */
async function node(name: string) {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = createServer((req, res) => {
    if (req.url !== "/slow") return void res.end(name);
    arrived.resolve();
    void released.promise.then(() => res.end(`slow ${name}`));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: arrived.promise,
    release: released.resolve,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const config = (nodes: readonly string[], more = "") => `stage {
    http1Backend "api" { .nodes = (${nodes.map((address) => `["address": "${address}"]`).join(", ")}) ${more} }
    webapp "site" { .hostnames = ("*") rule { httpProxy { .toBackend = "api" } } }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;

test("a drained node finishes what it has, and gets nothing more, over reload and rework, until it is up again", async () => {
  using a = await node("a");
  using b = await node("b");
  const nodes = [a.address, b.address];
  await using folder = await folderWith({ "hemi.conf": config(nodes) });
  await using program = await serve(folder.path);
  const steer = (node: string, isDrained: boolean) => program.call("steerNode", { backend: "api", node, isDrained });
  /** Who answers, on many connections: both workers get some. */
  const answering = async () => new Set(await Promise.all(Array.from({ length: 40 }, () => ask(program.port))));

  expect(await answering()).toEqual(new Set(["a", "b"]));
  await steer(b.address, true);
  const slow = ask(program.port, "/slow");
  await a.arrived;
  await steer(b.address, false);

  expect(await steer(a.address, true)).toMatchObject({
    name: "api",
    queued: 0,
    nodes: [
      { node: a.address, state: "drained", states: { drained: 2 }, active: 1, failures: 0 },
      { node: b.address, state: "up", states: { up: 2 }, active: 0, failures: 0 },
    ],
  });
  expect(await answering()).toEqual(new Set(["b"]));
  a.release();
  expect(await slow).toBe("slow a");

  await writeFile(join(folder.path, "hemi.conf"), config(nodes, ".maxFails = 3"));
  const order = { backend: "api", node: a.address, isDrained: true };
  expect(await program.call("plan")).toMatchObject({ nodeOrders: [order] });
  await program.call("reload", { rework: false });
  expect(await answering()).toEqual(new Set(["b"]));
  await program.call("rework");
  expect(await answering()).toEqual(new Set(["b"]));
  expect(await program.call("leader")).toMatchObject({ nodeOrders: [order] });
  const walk = await program.call("explain", { url: `http://127.0.0.1:${program.port}/`, headers: {} });
  expect(JSON.stringify(walk)).toContain("is drained, as an operator has ordered");
  const shown = await run(["backend"], { cwd: folder.path });
  expect(shown.stdout).toMatch(new RegExp(`^ {2}${a.address} +drained +1 +0 +0$`, "m"));

  await steer(a.address, false);
  expect(await answering()).toEqual(new Set(["a", "b"]));
  await expect(program.call("backends", { backend: "apo" })).rejects.toThrow("did you mean api?");
});
