import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../../../scripts/build-pages.mjs", import.meta.url));
const pages = fileURLToPath(new URL("page", import.meta.url));

test("a browser gets the built web UI as one page with one style sheet and one module", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-pages-"));
  execFileSync(process.execPath, [script, pages, folder.path], { stdio: "pipe" });
  const index = await readFile(join(folder.path, "index.html"), "utf8");
  const named = [...index.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, file]) => file);
  expect(named.toSorted()).toEqual(["app.js", "icon.svg", "style.css"]);
  expect((await readdir(folder.path)).toSorted()).toEqual(["app.js", "icon.svg", "index.html", "style.css"]);
  const module = await readFile(join(folder.path, "app.js"), "utf8");
  expect(module).not.toMatch(/\bimport\b/);
  // Each of the pages is in it.
  for (const title of ["Stage", "Workers", "Backends", "Requests", "Configuration", "Log"]) {
    expect(module).toContain(title);
  }
});
