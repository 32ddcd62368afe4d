import { fileURLToPath } from "node:url";
import { bootFile, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
let stage: Stage;

beforeAll(async () => {
  stage = await bootFile(`${here}hono-inside.conf`, { baseDir: here, env: { PORT: "0" } });
  await stage.start();
});

afterAll(() => stage.quit());

test("files and the app stand side by side", async () => {
  expect((await stage.inject({ url: "/" })).text).toContain("Hono inside Hemi");
  expect((await stage.inject({ url: "/api/notes" })).text).toBe('[{"id":1,"text":"buy milk"}]');
  expect((await stage.inject({ url: "/api/notes/9" })).status).toBe(404);
});

test("a note is posted and read", async () => {
  const posted = await stage.inject({ method: "POST", url: "/api/notes", content: '{"text":"call Ada"}' });
  expect(posted).toMatchObject({ status: 201, headers: { location: "/api/notes/2" } });
  expect((await stage.inject({ url: "/api/notes/2" })).text).toBe('{"text":"call Ada"}');
  expect((await stage.inject({ method: "POST", url: "/api/notes", content: '{"text":1}' })).status).toBe(400);
});

test("a note that is too long is refused by the rule", async () => {
  const content = JSON.stringify({ text: "x".repeat(70_000) });
  expect((await stage.inject({ method: "POST", url: "/api/notes", content })).status).toBe(413);
});

test("visits are counted by a cookie, and events are streamed", async () => {
  const visit = await stage.inject({ url: "/api/visits", headers: { cookie: "visits=4" } });
  expect(visit.text).toBe("visit 5 from 127.0.0.1");
  expect(visit.headers["set-cookie"]).toMatch(/^visits=5;/);
  expect((await stage.inject({ url: "/api/ticks" })).text).toContain("event: tick\ndata: 3\n");
});
