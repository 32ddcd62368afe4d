// A page whose parts come from two backends, put together and compressed by the engine, in a real browser.

import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootText, MemorySink, openErrorLog, type ServerPart } from "@hemi/hemi";
import { expect, test } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { peer } from "../src/peers.ts";

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"></head><body>
<!--#set var="greeting" value="Welcome" -->
<h1><!--#echo var="greeting" --></h1>
<nav><!--#include virtual="/menu/main" --></nav>
<main><!--#include virtual="/offers/today?of=shoes" --></main>
<!--#if expr="$query_debug" --><p id="debug">debug</p><!--#endif -->
${"<p>So that there is something to compress.</p>".repeat(50)}
</body></html>`;

/** A backend that answers every request with a fragment of a page. */
async function backend(fragment: (url: string) => string): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((req, res) => {
    res.setHeader("content-type", "text/html; charset=utf-8");
    res.end(fragment(req.url ?? ""));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    address: address === null || typeof address === "string" ? "" : `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test("a page of two backends' parts arrives whole and compressed", async (context) => {
  const executablePath = peer("chromium", context);
  await using menus = await backend((url) => `<a id="menu" href="/">menu of ${url}</a>`);
  await using offers = await backend((url) => `<b id="offer">offer of ${url}</b>`);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-assembled-"));
  await writeFile(join(folder.path, "index.html"), page);
  const text = `stage {
    http1Backend "menus" { .nodes = (["address": "${menus.address}"]) }
    http1Backend "offers" { .nodes = (["address": "${offers.address}"]) }
    httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    webapp "shop" {
      .hostnames = ("*") .webRoot = "${folder.path}"
      rule $path ^= "/menu/" { httpProxy { .toBackend = "menus" } }
      rule $path ^= "/offers/" { httpProxy { .toBackend = "offers" } }
      rule { gzip {} ssi {} static {} }
    }
  }`;
  await using stage = await bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};

  await using browser = await launchChromium(executablePath);
  const tab = await browser.newPage();
  const answer = await tab.goto(`http://${listensOn}/`);
  expect(await answer?.headerValue("content-encoding")).toMatch(/^(?:zstd|br|gzip)$/);
  expect(await answer?.headerValue("vary")).toBe("accept-encoding");
  expect(await tab.textContent("h1")).toBe("Welcome");
  expect(await tab.textContent("#menu")).toBe("menu of /menu/main");
  expect(await tab.textContent("#offer")).toBe("offer of /offers/today?of=shoes");
  expect(await tab.locator("#debug").count()).toBe(0);
  await tab.goto(`http://${listensOn}/?debug=1`);
  expect(await tab.locator("#debug").count()).toBe(1);
});
