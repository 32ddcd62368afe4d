import { expect, test } from "vitest";
import type { EndReason } from "../http/end-reason.ts";
import type { HandletPart } from "../web/kinds.ts";
import { request, type RawClient } from "../testing/raw-client.ts";
import { serve, type TestServer } from "../testing/serve.ts";

type Handle = HandletPart["handle"];
type Ending = readonly [status: number | undefined, reason: EndReason];

/** Serves one request by the handlet, lets the client act when it has come, and gives what is heard of its end. */
async function endingOf(
  handle: Handle,
  act: (client: RawClient, server: TestServer) => unknown,
  { settings = {}, head = request("GET /") }: { settings?: Record<string, number>; head?: string } = {},
): Promise<Ending> {
  const came = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Ending>();
  await using server = await serve({
    handlets: [
      (req, resp) => {
        resp.onEnd((status, _contentSent, reason) => ended.resolve([status, reason]));
        came.resolve();
        return handle(req, resp);
      },
    ],
    settings,
  });
  await using client = await server.connect();
  client.send(head);
  await came.promise;
  await act(client, server);
  return await ended.promise;
}

const waits: Handle = () => true;
const begins: Handle = async (_req, resp) => {
  await resp.echo("hello");
  return true;
};
/** Goes on for as long as it is let. */
const floods: Handle = async (_req, resp) => {
  for (;;) await resp.echo("x".repeat(65_536));
};
const reads: Handle = async (req, resp) => {
  await req.content.text();
  resp.send("read");
  return true;
};
const nothing = (): void => {};
const leaves = (client: RawClient): void => client.reset();
const quits = (_client: RawClient, { stage }: TestServer): Promise<void> => stage.quit(1);
const unfinished = request("POST /", { "content-length": "5" });

test.each<
  [string, Ending, Handle, (client: RawClient, server: TestServer) => unknown, Parameters<typeof endingOf>[2]?]
>([
  ["is complete", [200, "complete"], (_req, resp) => (resp.send("hello"), true), nothing],
  ["is complete with an error page", [500, "complete"], () => Promise.reject(new Error("on purpose")), nothing],
  ["was left by a client that waited for it", [undefined, "leftWaiting"], waits, leaves],
  [
    "was left by a client that had read some of it",
    [200, "leftReading"],
    begins,
    async (client) => (await client.through("hello"), client.reset()),
  ],
  ["was left by a client whose handlet heard of it first", [200, "leftReading"], floods, leaves],
  ["did not begin in time", [503, "handleTimeout"], waits, nothing, { settings: { handleTimeout: 20 } }],
  ["did not go on in time", [200, "handleTimeout"], begins, nothing, { settings: { handleTimeout: 20 } }],
  [
    "is not taken by its client",
    [200, "writeTimeout"],
    floods,
    (client) => client.socket.pause(),
    { settings: { writeTimeout: 50 } },
  ],
  [
    "was made for content that did not come",
    [408, "contentTimeout"],
    reads,
    nothing,
    { settings: { contentTimeout: 20 }, head: unfinished },
  ],
  [
    "was broken off by its handlet",
    [200, "aborted"],
    async (_req, resp) => (await resp.echo("a"), resp.abort(), true),
    nothing,
  ],
  [
    "failed behind its head",
    [200, "aborted"],
    async (_req, resp) => {
      await resp.echo("a");
      throw new Error("on purpose");
    },
    nothing,
  ],
  ["was cut off by a shutdown", [200, "shutdown"], begins, quits],
])("who asks hears that an answer %s", async (_name, expected, handle, act, options) => {
  expect(await endingOf(handle, act, options)).toEqual(expected);
});
