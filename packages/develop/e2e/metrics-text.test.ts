// Prometheus's own parser reads what the handlet `metrics` sends.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { bootText, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import { peer } from "../src/peers.ts";

test("promtool finds nothing to complain about in the metrics of a busy site", async (context) => {
  const promtool = peer("promtool", context);
  const node = createServer((_req, response) => response.end("from the node")).listen(0, "127.0.0.1");
  await once(node, "listening");
  const address = node.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await using stage = await bootText(
    `stage {
      http1Backend "api" { .nodes = (["address": "127.0.0.1:${port}"]) }
      webapp "site" {
        .hostnames = ("*")
        rule "metrics" $path == "/metrics" { metrics {} }
        rule "odd \\ name" $path == "/odd" { .returnText = "odd" }
        rule { httpProxy { .toBackend = "api" } }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  for (const url of ["/", "/odd", "/"]) expect((await stage.inject({ url })).status).toBe(200);
  const { text } = await stage.inject({ url: "/metrics" });
  expect(text).toMatch(/^hemi_node_attempts_total\{.*outcome="good"\} 2$/m);
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  node.close();
});
