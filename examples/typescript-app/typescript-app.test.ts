import { fileURLToPath } from "node:url";
import { bootFile, MemorySink, openErrorLog, type Stage } from "@hemi/hemi";
import { afterEach, beforeEach, expect, test } from "vitest";
import app from "./app.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
let stage: Stage;

beforeEach(async () => {
  const log = openErrorLog({ sink: new MemorySink() });
  stage = await bootFile(`${here}app.conf`, { baseDir: here, use: [app], env: { PORT: "0" }, log });
  await stage.start();
});

afterEach(() => stage.quit());

async function send(method: string, url: string, content: unknown, headers: Readonly<Record<string, string>> = {}) {
  const type = { "content-type": "application/json" };
  const {
    status,
    headers: fields,
    text,
  } = await stage.inject({
    method,
    url,
    headers: { ...type, ...headers },
    ...(content !== undefined && { content: JSON.stringify(content) }),
  });
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  return { status, fields, json };
}

test("a task is added, read, done and removed", async () => {
  const added = await send("POST", "/api/tasks", { text: " read the manual " });
  expect(added).toMatchObject({ status: 201, fields: { location: "/api/tasks/1" } });
  const task = { id: 1, text: "read the manual", isDone: false, by: "somebody" };
  expect((await send("GET", "/api/tasks", undefined)).json).toEqual([task]);
  expect((await send("PATCH", "/api/tasks/1", { isDone: true })).json).toEqual({ ...task, isDone: true });
  expect((await send("DELETE", "/api/tasks/1", undefined)).status).toBe(204);
  expect((await send("GET", "/api/tasks/1", undefined)).status).toBe(404);
});

test("all that is wrong with a task is told at once", async () => {
  const { status, json } = await send("POST", "/api/tasks", { text: "", isDone: 1, due: "today" });
  expect({ status, json }).toEqual({
    status: 422,
    json: {
      errors: ['a task has no "due"', '"text" is a text of 1 to 200 characters', '"isDone" is true or false'],
    },
  });
  expect(await send("POST", "/api/tasks", {})).toMatchObject({ status: 422, json: { errors: ['"text" is missing'] } });
});

test.each([
  ["POST", "/api/tasks", "{ text", "application/json", 400],
  ["POST", "/api/tasks", "[]", "application/json", 400],
  ["POST", "/api/tasks", "text=a", "application/x-www-form-urlencoded", 415],
  ["POST", "/api/tasks", JSON.stringify({ text: "x".repeat(20_000) }), "application/json", 413],
  ["PUT", "/api/tasks", "{}", "application/json", 405],
  ["GET", "/api/nothing", undefined, "", 404],
])("%s %s of %.20s as %s gives %i", async (method, url, content, type, status) => {
  const headers: Readonly<Record<string, string>> = type === "" ? {} : { "content-type": type };
  expect((await stage.inject({ method, url, headers, ...(content !== undefined && { content }) })).status).toBe(status);
});

test("a name is remembered by a cookie, and stands at the tasks that one writes", async () => {
  const { fields } = await send("PUT", "/api/me", { name: "Ada" });
  expect(fields["set-cookie"]).toBe("name=Ada; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax");
  const added = await send("POST", "/api/tasks", { text: "a" }, { cookie: "name=Ada" });
  expect(added.json).toMatchObject({ by: "Ada" });
  expect((await send("PUT", "/api/me", { name: "<script>" })).status).toBe(422);
});

test("the list is followed over a stream, until the client leaves", async () => {
  const [listensOn = ""] = (stage.find("httpxServer.main")?.part as { listensOn?: readonly string[] }).listensOn ?? [];
  const origin = `http://127.0.0.1:${listensOn.split(":").at(-1)}`;
  const client = new AbortController();
  const answer = await fetch(`${origin}/api/events`, { signal: client.signal });
  const events = answer.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  expect((await events.next()).value).toBe("event: tasks\ndata: []\n\n");
  await send("POST", "/api/tasks", { text: "a" });
  expect((await events.next()).value).toContain('"text":"a"');
  client.abort();
  await expect(events.next()).rejects.toThrow("aborted");
});

test("the page and its script are there", async () => {
  expect((await stage.inject({ url: "/" })).text).toContain("<title>Tasks</title>");
  expect((await stage.inject({ url: "/tasks.js" })).headers["content-type"]).toBe("text/javascript; charset=utf-8");
});
