// A Hono app without changes, except where it reads the client's address.

import { setTimeout } from "node:timers/promises";
import type { FetchEnv } from "@hemi/contrib-apps";
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { streamSSE } from "hono/streaming";

const notes = new Map([[1, "buy milk"]]);

const app = new Hono<{ Bindings: FetchEnv }>().basePath("/api");

app.get("/notes", (c) => c.json([...notes].map(([id, text]) => ({ id, text }))));
app.get("/notes/:id{[0-9]+}", (c) => {
  const text = notes.get(Number(c.req.param("id")));
  return text === undefined ? c.json({ error: "no such note" }, 404) : c.json({ text });
});
app.post("/notes", async (c) => {
  const { text } = await c.req.json<{ text?: unknown }>();
  if (typeof text !== "string") return c.json({ error: "a note is a text" }, 400);
  const id = notes.size + 1;
  notes.set(id, text);
  return c.json({ id }, 201, { location: `/api/notes/${id}` });
});
app.get("/visits", (c) => {
  const visits = Number(getCookie(c, "visits") ?? 0) + 1;
  setCookie(c, "visits", String(visits), { httpOnly: true });
  return c.text(`visit ${visits} from ${c.env.hemi.srcHost}`);
});
app.get("/ticks", (c) =>
  streamSSE(c, async (events) => {
    for (let tick = 1; tick <= 3 && !events.aborted; tick++) {
      await events.writeSSE({ event: "tick", data: String(tick) });
      await setTimeout(10);
    }
  }),
);

export default app;
