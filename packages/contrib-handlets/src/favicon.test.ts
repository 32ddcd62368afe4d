import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import { makeHemiIcon } from "./hemi-icon.ts";
import contribHandlets from "./index.ts";

const { bootText } = bootWith([contribHandlets]);

async function serve(favicon: string) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-favicon-"));
  const sink = new MemorySink();
  const stage = await bootText(
    `stage {
      webapp "site" {
        .hostnames = ("*")
        rule { ${favicon} }
        rule { .returnText = "next" }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    {
      baseDir: folder.path,
      log: openErrorLog({ sink }),
    },
  );
  return {
    dir: folder.path,
    lines: sink.lines,
    stage,
    ask: (method: string, url: string, headers: Record<string, string> = {}) =>
      stage.inject({ method, url, headers: { host: "a", ...headers } }),
    async [Symbol.asyncDispose]() {
      await stage.quit();
      await folder.remove();
    },
  };
}

describe("favicon", () => {
  test("whose file is missing is found by an examination, and served all the same", async () => {
    await using site = await serve('favicon { .file = "own.png" }');
    await expect(site.stage.examine()).rejects.toThrow(/HEMI_FILE: the icon .*own\.png does not exist/);
    await site.stage.start();
    expect((await site.ask("GET", "/favicon.ico")).text).toBe("next");
  });

  test("sends Hemi's icon, with caching fields", async () => {
    await using site = await serve("favicon {}");
    await site.stage.start();
    const answer = await site.ask("GET", "/favicon.ico");
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        "content-type": "image/x-icon",
        "cache-control": "max-age=86400",
        etag: expect.stringMatching(/^".+"$/),
      },
    });
    expect(Buffer.from(answer.content).equals(makeHemiIcon())).toBe(true);
    const again = await site.ask("GET", "/favicon.ico", { "if-none-match": String(answer.headers["etag"]) });
    expect(again).toMatchObject({ status: 304, text: "" });
    expect(again.headers["cache-control"]).toBe("max-age=86400");
  });

  test("answers HEAD without content, and other methods with 405", async () => {
    await using site = await serve("favicon {}");
    await site.stage.start();
    expect(await site.ask("HEAD", "/favicon.ico")).toMatchObject({ status: 200, text: "" });
    const refused = await site.ask("POST", "/favicon.ico");
    expect(refused.status).toBe(405);
    expect(refused.headers["allow"]).toBe("GET, HEAD, OPTIONS");
  });

  test.each(["/", "/favicon.png", "/a/favicon.ico", "/favicon.ico/"])("leaves %s to the next rule", async (url) => {
    await using site = await serve("favicon {}");
    await site.stage.start();
    expect((await site.ask("GET", url)).text).toBe("next");
  });

  test("sends the file that it is given, with the type of its name", async () => {
    await using site = await serve('favicon { .file = "icon.svg" .maxAge = 1h }');
    await writeFile(join(site.dir, "icon.svg"), "<svg/>");
    await site.stage.start();
    expect(await site.ask("GET", "/favicon.ico")).toMatchObject({
      status: 200,
      text: "<svg/>",
      headers: { "content-type": "image/svg+xml", "cache-control": "max-age=3600" },
    });
  });

  test("leaves the request to the next rule while its file is missing, and says so when it starts", async () => {
    await using site = await serve('favicon { .file = "icon.svg" }');
    await site.stage.start();
    expect(site.lines.join("")).toMatch(/icon\.svg is no file that can be read, as yet: missing/);
    expect((await site.ask("GET", "/favicon.ico")).text).toBe("next");
  });
});

test("the icon is a Windows icon of one 32-bit image with as many bytes as it says", () => {
  const icon = Buffer.from(makeHemiIcon());
  expect(icon.subarray(0, 6).toString("hex")).toBe("000001000100");
  expect([icon[6], icon[7], icon.readUInt16LE(12)]).toEqual([16, 16, 32]);
  expect(icon.readUInt32LE(14) + icon.readUInt32LE(18)).toBe(icon.length);
  const opaque = Array.from({ length: 256 }, (_, i) => icon[62 + i * 4 + 3]).filter((alpha) => alpha === 0xff);
  expect(opaque.length).toBeGreaterThan(100);
  expect(opaque.length).toBeLessThan(256);
});
