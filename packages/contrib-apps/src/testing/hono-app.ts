// A Hono app that uses what Hono apps use.

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { mount } from "hono/mount";
import { proxy } from "hono/proxy";
import { stream, streamSSE } from "hono/streaming";
import type { FetchEnv } from "../index.ts";

export const left: string[] = [];

const app = new Hono<{ Bindings: FetchEnv }>();

app.get("/", (c) => c.text("hello from Hono"));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q") ?? null, url: c.req.url }));
app.post("/json", async (c) => c.json({ got: await c.req.json<unknown>() }, 201));
app.post("/form", async (c) => {
  const { name, file } = await c.req.parseBody();
  return c.text(
    `${typeof name === "string" ? name : ""} ${file instanceof File ? `${file.name} ${file.size}` : "no file"}`,
  );
});
app.post("/limited", bodyLimit({ maxSize: 10 }), async (c) => c.text(await c.req.text()));
app.get("/cookies", (c) => {
  setCookie(c, "a", "1");
  setCookie(c, "b", "2", { httpOnly: true });
  return c.text(getCookie(c, "seen") ?? "first");
});
app.get("/stream", (c) =>
  stream(c, async (out) => {
    for (let i = 0; i < 3; i++) {
      await out.write(`${i},`);
      await out.sleep(1);
    }
  }),
);
app.get("/sse", (c) =>
  streamSSE(c, async (out) => {
    for (let id = 0; id < 3; id++) await out.writeSSE({ data: `tick ${id}`, event: "tick", id: String(id) });
  }),
);
app.get("/sse-forever", (c) =>
  streamSSE(c, async (out) => {
    out.onAbort(() => void left.push("sse"));
    await out.writeSSE({ data: "first" });
    await new Promise<void>((resolve) => out.onAbort(resolve));
  }),
);
app.get("/env", (c) => c.text(c.env.hemi.srcHost));
app.all(
  "/mounted/*",
  mount((request) => new Response(request.url)),
);
app.all("/passed/:to", (c) => proxy(new URL(`/${c.req.param("to")}`, c.req.url), c.req));
app.get("/broken", () => {
  throw new Error("a route that throws");
});
app.get("/pass", (c) => c.body(null, 404, { "x-pass": "1" }));

export default app;
