// A trace through two processes of Hemi and an Express app inside the second one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { startCollector, type ReceivedSpan } from "./testing/collector.ts";

vi.setConfig({ testTimeout: 300_000 });

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** `hemi serve --single` of a configuration in a folder; `port` is that of its server. */
async function serve(folder: string, name: string, config: string) {
  const file = join(folder, `${name}.conf`);
  await writeFile(file, config);
  const args = ["serve", "--single", "--config", file, "--use", join(root, "packages/contrib-otel/src/index.ts")];
  const main = join(root, "packages/procman/src/main.ts");
  const child = spawn(process.execPath, ["--conditions=@hemi/source", main, ...args], { cwd: folder });
  const closed = once(child, "close");
  let written = "";
  child.stderr.on("data", (chunk: Buffer) => (written += chunk.toString()));
  const isListening = /listens on 127\.0\.0\.1:(\d+)/;
  while (!isListening.test(written)) {
    const event = await Promise.race([once(child.stderr, "data"), closed.then(() => "closed")]);
    if (event === "closed") throw new Error(`${name} ended: ${written}`);
  }
  return {
    port: Number(isListening.exec(written)?.[1]),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}

/** Express is found where the package is that tests it. */
const app = `import { createRequire } from "node:module";

const express = createRequire(${JSON.stringify(join(root, "packages/contrib-apps/package.json"))})("express");
const app = express();
app.get("/cart/:id", (req, res) => res.json({ id: req.params.id, traceparent: req.get("traceparent") }));
export default app;
`;

const site = (name: string, collector: string, rule: string, more = "") => `stage {
    otel "collector" { .endpoint = "${collector}" .serviceName = "${name}" .interval = 10ms }
    ${more}
    webapp "${name}" {
        .hostnames = ("*")
        .traceTo = "collector"
        .tracesPerMillion = 1000000
        rule { ${rule} }
    }
    httpxServer "main" { .webapps = ("${name}") .address = "127.0.0.1:0" }
}
`;

/** Names of spans, each before those below it. */
const outline = (spans: readonly ReceivedSpan[], parent = ""): readonly unknown[] =>
  spans
    .filter(({ parentSpanId = "" }) => parentSpanId === parent)
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, spanId }) => [name, ...outline(spans, spanId)]);

test("a request through two processes and an app inside is one tree at the collector", async () => {
  await using collector = await startCollector();
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-trace-"));
  await writeFile(join(folder.path, "package.json"), '{ "type": "module" }\n');
  await writeFile(join(folder.path, "app.ts"), app);
  const inner = site("inner", collector.url, 'nodeHandlet { .module = "./app.ts" }');
  await using second = await serve(folder.path, "inner", inner);
  const nodes = `http1Backend "inner" { .nodes = (["address": "127.0.0.1:${second.port}"]) }`;
  const outer = site("outer", collector.url, 'httpProxy { .toBackend = "inner" }', nodes);
  await using first = await serve(folder.path, "outer", outer);

  const response = await fetch(`http://127.0.0.1:${first.port}/cart/7`);
  const { id, traceparent = "" } = (await response.json()) as { readonly id: string; readonly traceparent?: string };
  expect(id).toBe("7");
  await expect.poll(() => collector.spans.length, { timeout: 60_000 }).toBe(7);
  const { spans } = collector;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(outline(spans)).toEqual([
    [
      "GET webapp.outer",
      ["GET webapp.inner", ["webapp.inner/rule", ["webapp.inner/rule/nodeHandlet"]]],
      ["webapp.outer/rule", ["webapp.outer/rule/httpProxy", ["attempt"]]],
    ],
  ]);
  const server = spans.find(({ name }) => name === "GET webapp.inner");
  expect(traceparent).toBe(`00-${server?.traceId ?? ""}-${server?.spanId ?? ""}-01`);
});
