import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";

/** Looks at a webapp as `hemi check` does; gives what is wrong, or "". */
async function examine(webapp: string): Promise<string> {
  const log = openErrorLog({ sink: new MemorySink() });
  const text = `stage {
    fcgiBackend "php" { .nodes = (["address": "127.0.0.1:9000"]) }
    webapp "site" { .hostnames = ("*") ${webapp} }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
  }`;
  await using stage = await bootWith([]).bootText(text, { log });
  try {
    await stage.examine();
    return "";
  } catch (error) {
    return String(error);
  }
}

test("hemi check tells of files and folders that are named and missing", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-examined-"));
  const { path } = folder;
  await writeFile(join(path, "index.html"), "");
  const root = `.webRoot = "${path}"`;
  expect(await examine(`rule { static { ${root} .fallback = "index.html" } }`)).toBe("");
  expect(await examine(`rule { fcgiRelay { .toBackend = "php" ${root} } }`)).toBe("");
  expect(await examine(`rule { static { .webRoot = "${path}/none" } }`)).toContain(
    `the web root ${path}/none does not`,
  );
  expect(await examine(`rule { static { .webRoot = "${path}/index.html" } }`)).toContain("is not a folder");
  expect(await examine(`rule { static { ${root} .fallback = "app.html" } }`)).toContain(
    `${path}/app.html does not exist`,
  );
  expect(await examine(`.file404 = "${path}/404.html"`)).toContain(`the file for 404, ${path}/404.html does not exist`);
  expect(await examine(`rule { .errorPages = ["502": "${path}"] }`)).toContain(
    `the page for 502, ${path} is not a file`,
  );
  const script = `.scriptFilename = "${path}/index.php"`;
  expect(await examine(`rule { fcgiRelay { .toBackend = "php" ${root} ${script} } }`)).toContain(
    "index.php does not exist",
  );
});
