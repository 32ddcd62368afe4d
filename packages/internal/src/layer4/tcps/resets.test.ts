// Clients that reset their connection before anyone has asked for their address.

import { expect, test } from "vitest";
import { pack } from "../../component/pack.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { ResettingClient } from "../../testing/resetting-client.ts";
import { route, router, to } from "../../testing/route.ts";
import { defineDealet, type DealetPart, type RouterPart } from "../kinds.ts";
import { tcpsDealet, type TcpsDealet } from "./dealet.ts";

/** A router whose `tellingDealet` tells of what it takes, and refuses it. */
async function routeWith(cases: string) {
  const taken: string[] = [];
  const dealet = defineDealet({
    sign: "tellingDealet",
    props: {},
    offers: [tcpsDealet],
    create: (): DealetPart & TcpsDealet => ({
      takeConn: (conn) => {
        taken.push(`${conn.transport} "${conn.srcHost}"`);
        conn.close("refused");
        return true;
      },
    }),
  });
  const site = await route(router(cases), { use: [pack("test", [dealet])] });
  const { listensOn }: RouterPart = site.stage.find("tcpsRouter.main")?.part ?? {};
  return {
    taken,
    port: Number(listensOn?.[0]?.split(":")[1]),
    /** All earlier connections have been accepted, and what they had sent was read. */
    async settled() {
      await using client = await site.connect();
      expect(await client.send("SSH-2.0-x\r\n").ending()).toBe("end");
    },
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}

test.each([
  ["all but some addresses", '$srcHost != "127.0.0.1"'],
  ["UNIX sockets", '$transport == "uds"'],
])("a connection that was reset before its case was found is of no case: %s", async (_, condition) => {
  await using site = await routeWith(`case $protocol == "smtp" {} case ${condition} { tellingDealet {} }`);
  const client = await ResettingClient.connect(site.port);
  await site.settled();
  await client.sendAndReset(request("GET /"));
  await site.settled();
  expect(site.taken).toEqual([]);
});

test("a client that leaves while it waits for a node is named in the PROXY header all the same", async () => {
  const heads: string[] = [];
  await using node = await RawBackend.listen(async (conn) => {
    heads.push(await conn.through("\r\n"));
    conn.socket.on("end", () => conn.socket.end()).write("n:");
  });
  const limits = '.proxyProtocol = "v1" .maxConnsPerNode = 1 .queueTimeout = 1m';
  await using site = await route(to("n", node, limits) + router('case { tcpsProxy { .toBackend = "n" } }'));
  const first = await site.connect();
  expect((await first.exactly(2)).toString()).toBe("n:");
  const second = await ResettingClient.connect(first.socket.remotePort ?? 0);
  await using third = await site.connect();
  const part: RouterPart = site.stage.find("tcpsRouter.main")?.part ?? {};
  await expect.poll(() => part.countWork?.(new Set(), new Set()).conns).toBe(3);
  await second.sendAndReset("x");
  await first[Symbol.asyncDispose]();
  expect((await third.exactly(2)).toString()).toBe("n:");
  expect(heads).toHaveLength(3);
  for (const head of heads) expect(head).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 /);
});
