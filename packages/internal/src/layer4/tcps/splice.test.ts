import { once } from "node:events";
import { connect } from "node:net";
import { SeatedRoster } from "@hemi/common";
import { expect, test } from "vitest";
import { Link, type LinkUser } from "../../net/link.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { named, route, router, to } from "../../testing/route.ts";
import type { TcpsConn } from "./dealet.ts";
import { Splice } from "./splice.ts";

const nobody: LinkUser = { received: () => {}, ended: () => {}, drained: () => {}, closed: () => {} };

async function dial({ port }: RawBackend): Promise<Link> {
  const link = new Link((onread) => connect({ port, host: "127.0.0.1", allowHalfOpen: true, onread }), nobody);
  await once(link.socket, "connect");
  return link;
}

/** Two sides that are joined, with a clock that the test moves. */
async function spliced(peers: RawBackend, settings: { idleTimeout: number; maxDuration: number }) {
  const client = await dial(peers);
  const node = await dial(peers);
  const reasons: string[] = [];
  const conn = {
    link: client,
    begin: (user: LinkUser) => client.use(user),
    endsBecauseOf: (reason: string) => reasons.push(reason),
  } as unknown as TcpsConn;
  const waits: number[] = [];
  let expire = (): void => {};
  const makeDeadline = (onExpired: () => void) => {
    expire = onExpired;
    return { isSet: true, set: (ms: number) => void waits.push(ms), clear: () => {} };
  };
  const splices = new SeatedRoster<Splice>();
  const clock = { ms: 1000 };
  const proxy = { settings, makeDeadline, splices, now: () => clock.ms };
  const splice = new Splice({ proxy, conn, node, mirror: undefined });
  return { client, node, reasons, waits, splice, splices, expire, clock };
}

test("an idle connection gets the rest of an idleTimeout that a reload has made longer", async () => {
  await using peers = await RawBackend.listen(() => Promise.resolve());
  const settings = { idleTimeout: 1000, maxDuration: 0 };
  const { client, node, reasons, waits, expire } = await spliced(peers, settings);
  expire();
  settings.idleTimeout = 10_000;
  expire();
  expect(reasons).toEqual([]);
  expect(waits).toEqual([250, 750, 9000]);
  expire();
  expect(reasons).toEqual(["idleTimeout"]);
  expect([client.isDestroyed, node.isDestroyed]).toEqual([true, true]);
});

test("an idleTimeout that a reload makes shorter holds from the reload on", async () => {
  await using peers = await RawBackend.listen(() => Promise.resolve());
  const settings = { idleTimeout: 80_000, maxDuration: 0 };
  const { reasons, waits, splice, splices, expire } = await spliced(peers, settings);
  expire();
  settings.idleTimeout = 20_000;
  splice.idleTimeoutChanged();
  expect(waits).toEqual([10_000, 70_000, 10_000]);
  expire();
  expect(reasons).toEqual(["idleTimeout"]);
  await expect.poll(() => splices.size).toBe(0);
});

test("a maxDuration that a reload makes shorter counts from the beginning of a connection", async () => {
  await using peers = await RawBackend.listen(() => Promise.resolve());
  const settings = { idleTimeout: 80_000, maxDuration: 0 };
  const { waits, splice, clock, client } = await spliced(peers, settings);
  clock.ms += 3000;
  settings.maxDuration = 10_000;
  splice.maxDurationChanged();
  settings.maxDuration = 2000;
  splice.maxDurationChanged();
  expect(waits).toEqual([10_000, 7000, -1000]);
  client.destroy();
  await expect.poll(() => client.isDestroyed).toBe(true);
});

test("a maxDuration that a reload sets holds for connections that are open", async () => {
  await using node = await named("n");
  const config = (props: string) => to("n", node) + router(`case { tcpsProxy { .toBackend = "n" ${props} } }`);
  await using site = await route(config(""));
  await using client = await site.connect();
  expect((await client.exactly(2)).toString()).toBe("n:");
  await site.stage.reload({ text: `stage { ${config(".maxDuration = 1ms")} }` });
  expect(await client.ending()).toBe("reset");
});
