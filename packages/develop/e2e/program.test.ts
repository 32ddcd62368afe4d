import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootFile, bootText, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import developPack from "../src/pack.ts";

const conf = fileURLToPath(new URL("../conf/develop.conf", import.meta.url));
const env = { PORT: "0", DAYTIME_PORT: "0" };

function portOf(listensOn: readonly string[] | undefined): number {
  return Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
}

test("the prototype program serves the web and a protocol of its own", async () => {
  await using stage = await bootFile(conf, { use: [developPack], env });
  await stage.start();
  const answer = await stage.inject({ url: "http://a.example/" });
  expect(answer.text).toBe("the prototype program");

  const daytime = stage.find("daytimeServer.daytime")?.part;
  const listensOn =
    daytime !== undefined && "listensOn" in daytime ? (daytime.listensOn as readonly string[]) : undefined;
  const socket = connect(portOf(listensOn), "127.0.0.1");
  const [line] = (await once(socket, "data")) as [Buffer];
  expect(line.toString()).toMatch(/^\w{3}, \d{2} \w{3} \d{4} .* GMT\r\n$/);
  socket.destroy();
});

test("a reviser of one's own sends the digest of the content behind it", async () => {
  await using stage = await bootFile(conf, { use: [developPack], env });
  await stage.start();
  const web = stage.find("httpxServer.web")?.part;
  const listensOn = web !== undefined && "listensOn" in web ? (web.listensOn as readonly string[]) : undefined;
  const socket = connect(portOf(listensOn), "127.0.0.1");
  socket.end("GET /digest HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
  const answer = Buffer.concat(await socket.toArray()).toString();
  const digest = createHash("sha256").update("Its SHA-256 comes behind it.").digest("base64");
  expect(answer).toContain("trailer: content-digest\r\n");
  expect(answer).toMatch(/\r\n0\r\ncontent-digest: [^\r]+\r\n\r\n$/);
  expect(answer).toContain(`content-digest: sha-256=:${digest}:`);
});

test("an addon of one's own watches the memory of the process, and tells of the limit once", async () => {
  const sink = new MemorySink();
  const log = openErrorLog({ sink });
  await using stage = await bootText('stage { memoryWatch "m" { .limit = 1K .interval = 10ms } }', {
    use: [developPack],
    log,
  });
  await stage.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(sink.lines.filter((line) => line.includes("more memory than its limit"))).toHaveLength(1);
});

test("a cronjob of one's own removes old files and leaves new ones", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hemi-sweep-"));
  for (const name of ["old", "new"]) await writeFile(join(folder, name), name);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(join(folder, "old"), longAgo, longAgo);
  const text = `stage { sweepFolder "s" { .schedule = "* * * * * *" .folder = "${folder}" .maxAge = 30s } }`;
  await using stage = await bootText(text, { use: [developPack] });
  await stage.start();
  await expect.poll(() => readdir(folder), { timeout: 10_000 }).toEqual(["new"]);
  await rm(folder, { recursive: true });
});

test("a wrong cron expression is a mistake of the configuration, with its place", async () => {
  const text = 'stage { sweepFolder "s" { .schedule = "at tea time" .folder = "/nowhere" } }';
  await expect(bootText(text, { use: [developPack] })).rejects.toThrow(
    /<text>:1:.*"at tea time" is no cron expression/,
  );
});
