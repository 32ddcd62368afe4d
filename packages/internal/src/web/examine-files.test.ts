import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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

describe("what cannot be used is shown at the prop that names it", () => {
  test.each([
    ["rule { static {", ".webRoot", '"/no/root"', "the web root /no/root does not exist"],
    ['rule { static { .webRoot = "/"', ".fallback", '"no.html"', "the fallback //no.html does not exist"],
    ['rule { fcgiRelay { .toBackend = "php"', ".webRoot", '"/no/root"', "the web root /no/root does not exist"],
    ["rule {", ".errorPages", '["502": "/no/page"]', "the page for 502, /no/page does not exist"],
    ["", ".file404", '"/no/page"', "the file for 404, /no/page does not exist"],
    ["", ".tlsCert", '"/no/cert"', "the certificate /no/cert cannot be read: there is no such file"],
  ])("%s %s = %s", async (before, prop, value, message) => {
    const written = `${before} ${prop} = ${value}`;
    const closing = "}".repeat(written.split("{").length - 1);
    const said = await examine(`\n${written} ${closing}`);
    const column = written.indexOf(prop) + 1;
    expect(said).toMatch(
      new RegExp(`^HemiError: webapp\\.site\\S* could not be used:\\n<text>:4:${column} HEMI_FILE: ${message}\\n`),
    );
    expect(said).toContain(`\n      | ${" ".repeat(column - 1)}${"^".repeat(prop.length)}`);
  });

  test("of the component further out that sets it", async () => {
    const said = await examine('.webRoot = "/no/root"\nrule { static {} }');
    expect(said).toMatch(/^<text>:3:40 HEMI_FILE: the web root .*\n.*\.webRoot = "\/no\/root"\n *\| *\^{21}$/m);
  });

  test("in a TypeScript object by its path", async () => {
    const log = openErrorLog({ sink: new MemorySink() });
    const files = { sign: "static", props: { webRoot: "/no/root" } } as const;
    const webapp = {
      sign: "webapp",
      name: "site",
      props: { hostnames: ["*"] },
      children: [{ sign: "rule", children: [files] }],
    } as const;
    await using stage = await bootWith([]).bootTree({ sign: "stage", children: [webapp] }, { log });
    await expect(stage.examine()).rejects.toThrow(
      "could not be used:\nwebapp.site/rule/static HEMI_FILE: the web root /no/root does not exist",
    );
  });
});
