// HTTP/2 with clients that others wrote.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bootText, defineHandlet, pack } from "@hemi/hemi";
import { afterAll, expect, test } from "vitest";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);

const folder = await mkdtemp(join(tmpdir(), "hemi-http2-peers-"));
await writeFile(join(folder, "large.bin"), Buffer.alloc(3_000_000, "0123456789"));
await writeFile(join(folder, "event.json"), JSON.stringify("0123456789".repeat(50_000)));
/** Tells how much came. */
const receive = defineHandlet({
  sign: "receive",
  create: () => ({
    async handle(req, resp) {
      let size = 0;
      for await (const piece of req.content) size += piece.length;
      resp.send(String(size));
      return true;
    },
  }),
});
const stage = await bootText(
  `stage {
  webapp "site" {
    .hostnames = ("*")
    .webRoot = "${folder}"
    rule $path == "/hello" { .returnText = "hello, world!" }
    rule $path == "/upload" && $method == "POST" { .maxContentSize = 10M receive {} }
    rule { static {} }
  }
  httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}`,
  { use: [pack("http2-peers", [receive])] },
);
await stage.start();
afterAll(async () => {
  await stage.quit(1000);
  await rm(folder, { recursive: true });
});

function url(path: string): string {
  const part = stage.find("httpxServer.main")?.part;
  const [listensOn] = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  return `http://${listensOn}${path}`;
}

test("curl gets what it asks for, by what it knows before", async (context) => {
  const curl = peer("curl", context);
  const options = ["--silent", "--show-error", "--http2-prior-knowledge", "--write-out", " %{http_version}"];
  expect((await run(curl, [...options, url("/hello")])).stdout).toBe("hello, world! 2");
  expect((await run(curl, [...options, "--data", "a=b", url("/hello")])).stdout).toBe("hello, world! 2");
});

test("curl gets a large file whole, and a range of it", async (context) => {
  const curl = peer("curl", context);
  const options = ["--silent", "--show-error", "--http2-prior-knowledge", "--output", join(folder, "got.bin")];
  const whole = await run(curl, [...options, "--write-out", "%{http_code} %{size_download}", url("/large.bin")]);
  expect(whole.stdout).toBe("200 3000000");
  const part = await run(curl, [
    ...options,
    "--range",
    "10-19",
    "--write-out",
    "%{http_code} %{size_download}",
    url("/large.bin"),
  ]);
  expect(part.stdout).toBe("206 10");
});

test("curl is told the status of an answer that comes before its upload is complete", async (context) => {
  const curl = peer("curl", context);
  const options = ["--silent", "--show-error", "--http2-prior-knowledge", "--output", join(folder, "got.txt")];
  const upload = ["--header", "expect:", "--upload-file", join(folder, "large.bin")];
  for (let i = 0; i < 5; i++) {
    const { stdout } = await run(curl, [...options, ...upload, "--write-out", "%{http_code}", url("/large.bin")]);
    expect(stdout).toBe("405");
  }
});

test("curl's upload to an endpoint that says 200 without reading it comes to an end", async (context) => {
  const curl = peer("curl", context);
  const options = [
    "--silent",
    "--show-error",
    "--http2-prior-knowledge",
    "--write-out",
    " %{http_code} %{size_upload}",
  ];
  const { stdout } = await run(curl, [...options, "--json", `@${join(folder, "event.json")}`, url("/hello")]);
  expect(stdout).toBe("hello, world! 200 500002");
});

test("nghttp gets several things at once, with its priorities of old", async (context) => {
  const nghttp = peer("nghttp", context);
  const { stdout } = await run(nghttp, ["--null-out", "--stat", url("/hello"), url("/large.bin"), url("/none")]);
  const statuses = [...stdout.matchAll(/^ +\d+ .* (\d{3}) +[\d.]+[KMG]? +\//gm)].map(([, status]) => status);
  expect(statuses.toSorted()).toEqual(["200", "200", "404"]);
});

test("nghttp uploads a large file", async (context) => {
  const nghttp = peer("nghttp", context);
  const { stdout } = await run(nghttp, ["--data", join(folder, "large.bin"), url("/upload")]);
  expect(stdout).toBe("3000000");
});

test("curl uploads a large file, whether it waits for 100-continue or not", async (context) => {
  const curl = peer("curl", context);
  for (const expect100 of ["expect: 100-continue", "expect:"]) {
    const options = ["--silent", "--show-error", "--http2-prior-knowledge", "--header", expect100];
    const { stdout } = await run(curl, [...options, "--data-binary", `@${join(folder, "large.bin")}`, url("/upload")]);
    expect(stdout).toBe("3000000");
  }
});

const loads = {
  "32 streams on each of 4 connections": { options: ["-n", "1000", "-c", "4", "-m", "32"], path: "/hello" },
  "many streams": { options: ["-n", "2000", "-c", "4", "-m", "50"], path: "/hello" },
  "small windows": { options: ["-n", "8", "-c", "2", "-m", "4", "-w", "10", "-W", "10"], path: "/large.bin" },
};
for (const [name, { options, path }] of Object.entries(loads)) {
  test(`h2load misses nothing with ${name}`, async (context) => {
    const { stdout } = await run(peer("h2load", context), [...options, url(path)]);
    const [, wanted] = options;
    expect(stdout).toContain(`${wanted} total, ${wanted} started, ${wanted} done, ${wanted} succeeded, 0 failed`);
  });
}
