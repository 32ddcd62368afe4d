// What the README shows, boots and does what it says; what its tables list, is what there is.

import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootWith, formatConfig, MemorySink, openErrorLog, type Prop } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import contribRevisers from "./index.ts";

const packageDir = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(packageDir, "README.md"), "utf8");
const sections = new Map(
  readme
    .split(/^## /m)
    .slice(1)
    .map((section) => [/^\w+/.exec(section)?.[0] ?? "", section]),
);
const signs = contribRevisers.definitions.map(({ sign }) => sign);

test("the README has a section for each reviser, and lists it", () => {
  expect([...sections.keys()]).toEqual(signs);
  for (const sign of signs) expect(readme).toContain(`[\`${sign}\`](#${sign.toLowerCase()})`);
});

test.each(contribRevisers.definitions)(
  "the table of $sign has its properties, and marks what a reload makes anew",
  (definition) => {
    const rows = [...(sections.get(definition.sign) ?? "").matchAll(/^\| `(\w+)`( \\\*)? +\|.*\| (\S.*?) +\|$/gm)];
    const listed = rows.map(([, name, star, value]) => [
      name,
      star === undefined ? "live" : "recreate",
      value === "required",
    ]);
    const props = Object.entries<Prop>(definition.props ?? {});
    expect(listed).toEqual(props.map(([name, { reload, required }]) => [name, reload, required]));
  },
);

interface Asked {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the answer has to have. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/** What is asked of the example of each section. */
const asked: Readonly<Record<string, Asked>> = {
  gzip: {
    path: "/page.html",
    headers: { "accept-encoding": "gzip" },
    answer: { status: 200, headers: expect.objectContaining({ "content-encoding": "gzip" }) },
  },
  gunzip: { path: "/page.html", answer: { status: 200, text: expect.stringContaining("a page") } },
  head: {
    path: "/page.html",
    answer: { status: 200, headers: expect.objectContaining({ "x-content-type-options": "nosniff" }) },
  },
  wrap: { path: "/page.html", answer: { text: expect.stringMatching(/<!-- .* -->$/) } },
  replace: { path: "/page.html", answer: { text: expect.stringContaining("<head><base") } },
  ssi: { path: "/index.html?user=Ann", answer: { text: "<p>Hello, Ann!</p>\n[menu]" } },
};

describe("the example of", () => {
  test.each(signs)("%s does what its section says", async (sign) => {
    const [, text = ""] = /```\n(stage \{.*?)```/s.exec(sections.get(sign) ?? "") ?? [];
    expect(text).toContain(`${sign} `);
    expect(formatConfig(text, "README.md")).toEqual({ text, problems: [] });
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-readme-"));
    await mkdir(join(folder.path, "web"));
    await writeFile(join(folder.path, "web/page.html"), "<html><head></head><body>a page</body></html>".repeat(20));
    await writeFile(join(folder.path, "web/index.html"), /```text\n(.*?)\n```/s.exec(readme)?.[1] ?? "");
    await writeFile(join(folder.path, "web/menu.html"), "[menu]");
    await using stage = await bootWith([contribRevisers]).bootText(text.replace("127.0.0.1:3080", "127.0.0.1:0"), {
      baseDir: folder.path,
      log: openErrorLog({ sink: new MemorySink() }),
    });
    await stage.start();
    const { path, headers = {}, answer } = asked[sign] ?? { path: "", answer: { status: "not asked" } };
    expect(await stage.inject({ url: path, headers: { host: "site.example", ...headers } })).toMatchObject(answer);
  });
});
