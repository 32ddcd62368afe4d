import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { bootFile, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
let stage: Stage;

beforeAll(async () => {
  stage = await bootFile(`${here}express-inside.conf`, { baseDir: here, env: { PORT: "0" } });
  await stage.start();
});

afterAll(() => stage.quit());

test("a file, a route and neither are three answers", async () => {
  expect((await stage.inject({ url: "/hello.txt" })).text).toBe("A file, sent by Hemi.\n");
  expect((await stage.inject({ url: "/" })).text).toContain("hello, 127.0.0.1");
  expect(await stage.inject({ url: "/nothing" })).toMatchObject({ status: 404, text: "Neither a file nor a route.\n" });
  expect((await stage.inject({ url: "/notes/9" })).text).toBe("Neither a file nor a route.\n");
});

test("a note is posted and read", async () => {
  const headers = { "content-type": "application/json" };
  const post = (content: string) => stage.inject({ method: "POST", url: "/notes", headers, content });
  expect(await post('{"text":"call Ada"}')).toMatchObject({ status: 201, headers: { location: "/notes/2" } });
  expect((await stage.inject({ url: "/notes/2" })).text).toBe('{"text":"call Ada"}');
  expect((await post("{}")).status).toBe(400);
  expect((await post(JSON.stringify({ text: "x".repeat(20_000) }))).status).toBe(413);
});

test("Express compresses what is long", async () => {
  const answer = await stage.inject({ url: "/poem", headers: { "accept-encoding": "gzip" } });
  expect(answer.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(answer.content).toString()).toMatch(/^A rose is a rose/);
});
