// Clients that have reset their connection before it is accepted: nobody knows who they were.

import { expect, test } from "vitest";
import { RawClient, request } from "../testing/raw-client.ts";
import { ResettingClient } from "../testing/resetting-client.ts";
import { serve } from "../testing/serve.ts";

test.each([
  ["", {}],
  ["with maxConnsPerClient", { maxConnsPerClient: 1 }],
  ["with trusted proxies", { proxyProtocol: ["127.0.0.2"] }],
])("a request of a client that nobody knows is not handled %s", async (_, settings) => {
  const paths: string[] = [];
  await using server = await serve({
    settings,
    handlets: [
      ({ path }, resp) => {
        paths.push(path);
        resp.send("ok");
        return true;
      },
    ],
  });
  for (let i = 0; i < 2; i++) await ResettingClient.connectSendAndReset(server.port, request("GET /reset"));
  await using client = await RawClient.connect({ port: server.port, host: "127.0.0.1" });
  expect(await client.send(request("GET /other")).response()).toMatchObject({ status: 200 });
  expect(paths).toEqual(["/other"]);
});
