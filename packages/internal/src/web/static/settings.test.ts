// What the props of static take, as a configuration writes them.

import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { MemorySink } from "../../log/sink.ts";
import { openErrorLog } from "../../log/error-log.ts";

const { bootText } = bootWith([]);

function boot(settings: string) {
  const text = `stage {
    webapp "app" { .hostnames = ("*") .webRoot = "none" rule { static { ${settings} } } }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  return bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
}

test.each([
  `.indexFile = "start.htm"`,
  `.indexFile = ("index.html", "index.php") .tryEndings = (".html") .scripts = () .otherwise = 404 .stripPrefix = "/x"`,
  `.fallback = "app/index.html"`,
  `.maxAge = 365d .immutable = true`,
  `.maxAge = 0s .immutable = false`,
  `.charset = "" .maxRanges = 0 .maxListed = 1`,
  `.precompressed = ("br", "zstd", "gzip") .listing = "html"`,
])("these are right: %s", async (settings) => {
  await using stage = await boot(settings);
  expect(stage).toBeDefined();
});

test.each([
  [`.immutable = true`, "it says something about maxAge only"],
  [`.precompressed = ("br", "deflate")`, `.precompressed[1] takes`],
  [`.precompressed = "br"`, `.precompressed takes`],
  [`.listing = "json"`, `.listing takes`],
  [`.maxListed = 0`, `.maxListed takes`],
  [`.maxRanges = 1001`, `.maxRanges takes`],
  [`.charset = "utf-8; x"`, `.charset takes the name of a charset`],
  [`.fallback = "/index.html"`, `.fallback takes the path of a file in the web root`],
  [`.fallback = ""`, `.fallback takes`],
  [`.fallback = "index.php"`, `index.php is a program, which is not sent: see .scripts`],
  [`.tryEndings = ("/")`, `the ending of a name, such as ".html"`],
  [`.otherwise = 200`, `.otherwise takes an integer from 400 to 599`],
  [`.indexFile = "a/b"`, `.indexFile takes the name of a file`],
])("this is refused: %s", async (settings, message) => {
  await expect(boot(settings)).rejects.toThrow(message);
});
