import { once } from "node:events";
import { connect } from "node:net";
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

test("an idle connection gets the rest of an idleTimeout that a reload has made longer", async () => {
  await using peers = await RawBackend.listen(() => Promise.resolve());
  const client = await dial(peers);
  const node = await dial(peers);
  const reasons: string[] = [];
  const conn = {
    link: client,
    begin: (user: LinkUser) => client.use(user),
    endsBecauseOf: (reason: string) => reasons.push(reason),
  } as unknown as TcpsConn;
  const settings = { idleTimeout: 1000, maxDuration: 0 };
  const waits: number[] = [];
  let expire = (): void => {};
  const makeDeadline = (onExpired: () => void) => {
    expire = onExpired;
    return { isSet: true, set: (ms: number) => void waits.push(ms), clear: () => {} };
  };
  new Splice({ conn, node, mirror: undefined, settings, makeDeadline });
  expire();
  settings.idleTimeout = 10_000;
  expire();
  expect(reasons).toEqual([]);
  expect(waits).toEqual([250, 750, 9000]);
  expire();
  expect(reasons).toEqual(["idleTimeout"]);
  expect([client.isDestroyed, node.isDestroyed]).toEqual([true, true]);
});
