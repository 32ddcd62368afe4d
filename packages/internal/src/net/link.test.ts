import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { RawBackend } from "../testing/raw-backend.ts";
import { Link, type LinkUser } from "./link.ts";

const nobody: LinkUser = { received: () => {}, ended: () => {}, drained: () => {}, closed: () => {} };

function dial({ port }: RawBackend): Link {
  return new Link((onread) => connect({ port, host: "127.0.0.1", allowHalfOpen: true, onread }), nobody);
}

test("who watches a link learns of the end of a socket that was given away", async () => {
  await using server = await RawBackend.listen(() => Promise.resolve());
  const link = dial(server);
  await once(link.socket, "connect");
  const closed = Promise.withResolvers<void>();
  link.watchedBy({ linkClosed: closed.resolve });
  link.release(Buffer.alloc(0)).destroy();
  await closed.promise;
});
