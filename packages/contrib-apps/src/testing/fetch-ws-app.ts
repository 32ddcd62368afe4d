// A fetch app of no framework, with a WebSocket.

import type { FetchApp } from "../index.ts";

const app: FetchApp = async (_request, { acceptWebSocket }) => {
  await acceptWebSocket?.({ message: (message, ws) => ws.send(`you said ${String(message)}`) });
  return new Response("a page");
};

export default app;
