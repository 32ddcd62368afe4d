// The handlet of the welcome program: a few functions behind a mapper. Load it with `hemi serve --use welcome.ts`.

import { setTimeout } from "node:timers/promises";
import { defineHandlet, Mapper, pack } from "@hemi/hemi";

const began = Date.now();

const mapper = new Mapper()
  .get("/status", () => ({
    engine: "Hemi",
    node: process.version,
    pid: process.pid,
    upSeconds: Math.round((Date.now() - began) / 1000),
    memoryMiB: Math.round(process.memoryUsage.rss() / 1024 / 1024),
  }))
  .get("/api/users/:id(\\d+)", (_req, _resp, { id }) => ({ id: Number(id), name: `User ${id}` }))
  .post("/api/echo", async (req) => ({ method: req.method, youSent: await req.content.text() }))
  .get("/api/request", (req) => ({
    method: req.method,
    path: req.path,
    queryString: req.queryString,
    from: req.srcHost,
    headers: Object.fromEntries(req.headers),
  }))
  // Server-sent events: five of them, one per second, each sent when it happens.
  .get("/ticks", async (req, resp) => {
    resp.setHeader("content-type", "text/event-stream");
    resp.setHeader("cache-control", "no-store");
    for (let tick = 1; tick <= 5 && !req.signal.aborted; tick++) {
      await resp.echo(`data: ${tick} of 5, at ${new Date().toISOString()}\n\n`);
      if (tick < 5) await setTimeout(1000);
    }
    resp.end();
  });

const welcome = defineHandlet({ sign: "welcome", create: () => mapper });

export default pack("example-welcome", [welcome]);
