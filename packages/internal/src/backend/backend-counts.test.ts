import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { nodeGroup, backendGroup } from "../metrics/groups.ts";
import { Metrics } from "../metrics/metrics.ts";

test("attempts are counted for the node as it is written, whatever addresses its name has", async () => {
  const node = createServer((socket) => {
    socket
      .on("error", () => {})
      .on("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"));
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  const address = node.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const metrics = new Metrics();
  await using stage = await bootWith([]).bootText(
    `stage {
      http1Backend "api" { .nodes = (["address": "localhost:${port}"], ["address": "127.0.0.1:1"]) .maxFails = 1 }
      webapp "shop" { .hostnames = ("*") rule { httpProxy { .toBackend = "api" } } }
      httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }), metrics },
  );
  await stage.start();
  for (let i = 0; i < 6; i++) expect((await stage.inject({ url: "/" })).status).toBe(200);
  const of = (name: string) => metrics.numbers(nodeGroup, ["api", "http1Backend", name]);
  const { at } = nodeGroup;
  expect(of(`localhost:${port}`)[at.good]).toBe(6);
  expect(of(`localhost:${port}`)[at.usable]).toBeGreaterThan(0);
  expect(of("127.0.0.1:1")[at.failed]).toBe(1);
  expect(of("127.0.0.1:1")[at.ejections]).toBe(1);
  expect(of("127.0.0.1:1")[at.usable]).toBe(0);
  expect(of("127.0.0.1:1")[at.active]).toBe(0);
  expect(metrics.numbers(backendGroup, ["api", "http1Backend"])[backendGroup.at.retries]).toBeGreaterThan(0);
  expect(metrics.report().filter(({ group }) => group === "node")).toHaveLength(2);
  node.close();
});
