import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";

/** A site whose backend answers with these fields, and whose files only it may send. */
async function siteWith(fields: string, props = ".accelRedirect = true") {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-accel-"));
  await writeFile(join(folder.path, "report.txt"), "0123456789");
  const backend = await RawBackend.answering((_request, conn) => conn.answer("ignored", fields));
  const sink = new MemorySink();
  const text = `stage {
    http1Backend "app" { .nodes = (["address": "${backend.address}"]) }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    webapp "site" {
      .hostnames = ("*") .webRoot = "${folder.path}"
      rule $path == "/report.txt" && $depth != "0" { static {} }
      rule $path == "/report.txt" { .returnCode = 404 }
      rule { httpProxy { .toBackend = "app" ${props} } }
    }
  }`;
  const stage = await bootWith([]).bootText(text, { log: openErrorLog({ sink }) });
  await stage.start();
  return {
    ask: (headers: Record<string, string> = {}, method = "GET") => stage.inject({ method, url: "/get", headers }),
    stage,
    log: sink.lines,
    async [Symbol.asyncDispose]() {
      await stage.quit();
      await backend[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

const toReport = "x-accel-redirect: /report.txt\r\n";

test("a backend lets a client have a file that nobody gets otherwise", async () => {
  await using site = await siteWith(
    `${toReport}content-type: text/csv\r\ncontent-disposition: attachment\r\nset-cookie: a=b\r\nx-other: c\r\n`,
  );
  expect((await site.stage.inject({ url: "/report.txt" })).status).toBe(404);
  const answer = await site.ask();
  expect(answer).toMatchObject({ status: 200, text: "0123456789" });
  expect(answer.headers).toMatchObject({
    "content-type": "text/csv",
    "content-disposition": "attachment",
    "set-cookie": "a=b",
    "accept-ranges": "bytes",
  });
  expect(answer.headers).not.toHaveProperty("x-accel-redirect");
  expect(answer.headers).not.toHaveProperty("x-other");
});

test("ranges and conditions are those of the file", async () => {
  await using site = await siteWith(toReport);
  const part = await site.ask({ range: "bytes=2-4" });
  expect(part).toMatchObject({ status: 206, text: "234" });
  const etag = (await site.ask()).headers["etag"];
  expect(await site.ask({ "if-none-match": String(etag) })).toMatchObject({ status: 304, text: "" });
  expect(await site.ask({}, "HEAD")).toMatchObject({ status: 200, text: "" });
});

test("a POST may be answered so, too", async () => {
  await using site = await siteWith(toReport);
  expect(await site.ask({ range: "bytes=2-4" }, "POST")).toMatchObject({ status: 200, text: "0123456789" });
});

test("a path that leads to nothing is a 404, of another type", async () => {
  await using site = await siteWith(
    "x-accel-redirect: /none.txt?a\r\ncontent-type: text/csv\r\n",
    ".accelRedirect = true",
  );
  // The rule behind asks the backend again, and again: that has an end.
  expect((await site.ask()).status).toBe(500);
  expect(site.log.join("")).toContain("would be a subrequest at the depth");
});

test("a URL of somebody else is no path", async () => {
  await using site = await siteWith("x-accel-redirect: http://evil.example/\r\n");
  expect((await site.ask()).status).toBe(500);
  expect(site.log.join("")).toContain("a path of the same webapp");
});

test("a backend that is not trusted has no say in it", async () => {
  await using site = await siteWith(toReport, "");
  expect(await site.ask()).toMatchObject({ status: 200, text: "ignored" });
});
