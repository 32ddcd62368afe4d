// The peer from Hono: its own way to be served by Node.js. By default it overrides the global Request and Response;
// with the argument `keep` it does not.

import { serve } from "@hono/node-server";
import app from "./hono-app.ts";

serve({
  fetch: app.fetch,
  port: Number(process.env["PORT"]),
  hostname: "127.0.0.1",
  overrideGlobalObjects: process.argv[2] !== "keep",
});
