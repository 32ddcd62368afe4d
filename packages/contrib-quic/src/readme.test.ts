import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { QuicClient } from "./testing/quic-client.ts";

test("the configuration in the README does what the README says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(readme) ?? [];
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-readme-"));
  const command =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-keyout site.key -out site.crt";
  execFileSync("openssl", command.split(" "), { cwd: folder.path, stdio: "ignore" });
  await using stage = await bootWith([contrib]).bootText(
    config.replaceAll("127.0.0.1:3443", "127.0.0.1:0").replaceAll("/etc/ssl", folder.path),
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const part = stage.find("http3Server.quic")?.part;
  const [address = ""] = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  await using client = await QuicClient.connect({ port: Number(address.split(":")[1]) });
  expect((await client.ask()).content.toString()).toBe("welcome");
});
