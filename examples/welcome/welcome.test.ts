import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bootFile, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";
import welcomePack from "./welcome.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
let stage: Stage;

beforeAll(async () => {
  stage = await bootFile(`${here}welcome.conf`, { baseDir: here, use: [welcomePack], env: { PORT: "0" } });
  await stage.start();
});

afterAll(() => stage.quit());

test("the configuration has at most 40 lines", async () => {
  const text = await readFile(`${here}welcome.conf`, "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
});

test.each([
  ["/", 200, "<title>Hemi is running</title>"],
  ["/hello", 200, "hello, 127.0.0.1!"],
  ["/greet?name=Ada", 200, "Good to see you, Ada."],
  ["/old", 301, ""],
  ["/private/x", 403, "not for you"],
  ["/nothing-here", 404, "Nothing here."],
  ["/status", 200, '"engine":"Hemi"'],
  ["/api/users/7", 200, '"id":7'],
  ["/api/users/seven", 404, "Nothing here."],
  ["/files/notes.txt", 200, 'served by the handlet "static"'],
  ["/favicon.ico", 200, ""],
])("%s answers with %i", async (url, status, text) => {
  const answer = await stage.inject({ url: `http://127.0.0.1${url}` });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
});

test("every link of the page leads to an answer of the engine", async () => {
  const page = (await stage.inject({ url: "/" })).text;
  const links = [...page.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, link]) =>
    (link ?? "").replaceAll("&amp;", "&"),
  );
  expect(links.length).toBeGreaterThan(10);
  for (const url of links.filter((link) => link !== "/ticks")) {
    expect([url, (await stage.inject({ url })).status], url).not.toEqual([url, 500]);
  }
});
