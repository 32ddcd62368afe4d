// The peer for hrpc: a server of tRPC over WebSockets.

import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { text } from "./texts.ts";
import { webSockets } from "./web-sockets.ts";

const { router, procedure } = initTRPC.create();

const benchRouter = router({
  echo: procedure
    .input(text)
    .output(text)
    .mutation(({ input }) => input),
});

/** What its clients need of it. */
export type BenchRouter = typeof benchRouter;

if (process.env["PORT"] !== undefined) {
  const wss = new webSockets.WebSocketServer({
    port: Number(process.env["PORT"]),
    host: "127.0.0.1",
    perMessageDeflate: false,
  });
  applyWSSHandler({ wss, router: benchRouter });
}
