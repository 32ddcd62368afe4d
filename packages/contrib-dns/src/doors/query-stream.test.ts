// DNS over TCP with a raw client. Real ones are in packages/develop/e2e.

import { once } from "node:events";
import { connect } from "node:net";
import { test } from "vitest";
import { framed } from "../message/frames.ts";
import { queryFor, resolve } from "../testing/resolve.ts";

test("an idleTimeout that a reload makes shorter holds for connections that are idle", async () => {
  const record = '.records = (["name": "a.example", "type": "A", "values": ("192.0.2.1"), "ttl": 60s])';
  await using site = await resolve(record, 0, ".idleTimeout = 1h");
  const client = connect(site.tcp, "127.0.0.1");
  client.write(framed(queryFor("a.example")));
  await once(client, "data");
  const closed = once(client, "close");
  await site.reload(".idleTimeout = 1ms");
  await closed;
});
