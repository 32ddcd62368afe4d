// What access logs tell of nodes that were asked.

import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { RawBackend } from "../../testing/raw-backend.ts";

async function logOf(rules: string, urls: readonly string[]): Promise<readonly string[]> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-nodes-"));
  {
    const text = `stage {
      webapp "app" {
        .hostnames = ("*")
        .accessLog = ["file": "access.log", "format": $path + " " + $node + " " + $nodeTime]
        ${rules}
      }
      httpxServer "main" { .address = "127.0.0.1:0" }
    }`;
    const log = openErrorLog({ sink: new MemorySink() });
    await using stage = await bootWith([]).bootText(text, { log, baseDir: folder.path });
    await stage.start();
    for (const url of urls) await stage.inject({ url });
  }
  return (await readFile(join(folder.path, "access.log"), "utf8")).trimEnd().split("\n");
}

test("$node is the address that has answered, and $nodeTime how long that took", async () => {
  await using backend = await RawBackend.answering(({ line }, conn) => conn.answer(line));
  await using gone = await RawBackend.answering(() => undefined);
  await gone[Symbol.asyncDispose]();
  const lines = await logOf(
    `rule $path == "/none" { .returnText = "none" }
    rule $path == "/gone" { httpProxy { .to = ("${gone.address}") } }
    rule { httpProxy { .to = ("${backend.address}") } }`,
    ["/a", "/none", "/gone"],
  );
  const time = String.raw`\d+\.\d{3}`;
  expect(lines).toEqual([
    expect.stringMatching(new RegExp(`^/a ${backend.address} ${time}$`)),
    "/none - -",
    expect.stringMatching(new RegExp(`^/gone ${gone.address} ${time}$`)),
  ]);
});
