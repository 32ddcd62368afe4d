// A Hono app with WebSockets, and a route that stands behind one of them.

import { defaultSettings } from "@hemi/internal";
import { Hono } from "hono";
import { type FetchEnv, upgradeWebSocket } from "../index.ts";

export const heard: string[] = [];

const app = new Hono<{ Bindings: FetchEnv }>();

app.use(async (c, next) => {
  await next();
  // Middleware that changes the answer makes a new one of it.
  c.header("x-seen", "1");
});
app.get(
  "/echo/:name",
  upgradeWebSocket(
    (c) => ({
      onOpen: (_event, ws) => ws.send(`hello at ${ws.url.pathname} by ${ws.protocol} from ${c.env.hemi.srcHost}`),
      onMessage({ data }, ws) {
        if (data === "throw") throw new Error("thrown on purpose");
        if (data === "bye") ws.close(4001, "as you wish");
        else ws.send(typeof data === "string" ? `you said ${data}` : data);
      },
      onClose: ({ code, reason }, ws) => void heard.push(`${code} ${reason} ${ws.readyState}`),
    }),
    { subprotocols: ["b"], settings: { ...defaultSettings, maxMessageSize: 100 } },
  ),
  (c) => c.text("no WebSocket wanted"),
);
app.get(
  "/fails/:where",
  upgradeWebSocket((c) => {
    async function fail(where: string): Promise<void> {
      await Promise.resolve();
      if (c.req.url.endsWith(where)) throw new Error(`${where} failed on purpose`);
    }
    return { onOpen: () => fail("open"), onClose: () => fail("close") as unknown as undefined };
  }),
);
app.get(
  "/arrow",
  upgradeWebSocket(() => ({
    // As programs without types write them: they give back what they have called.
    onMessage: ({ data }, ws) => (ws.send("heard"), heard.push(typeof data)) as unknown as undefined,
    onClose: () => heard.push("arrow closed") as unknown as undefined,
  })),
);
app.get("/plain", (c) => c.text("a page"));

export default app;
