import { once } from "node:events";
import { connect } from "node:net";
import { SeatedRoster } from "@hemi/common";
import { expect, test } from "vitest";
import { Link, type LinkUser } from "../../net/link.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
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
  const splice = new Splice({ conn, node, mirror: undefined, settings, makeDeadline, splices });
  return { client, node, reasons, waits, splice, splices, expire };
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
