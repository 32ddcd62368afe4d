// caching_sha2_password with a client that somebody else has written: the driver mysql2. No server of MySQL can be had
// here, so that ours is written from its documentation, and held against the driver first.

import mysql from "mysql2/promise";
import { expect, test } from "vitest";
import { FakeServer } from "./testing/fake-server.ts";
import { known, proxy } from "./testing/proxied.ts";

const connectTo = (port: number, password = "geheim") =>
  mysql.createConnection({ host: "127.0.0.1", port, user: "ann", password, database: "shop" });

test.each([false, true])(
  "the driver logs in at a server with it, directly and through the proxy; the server forgets proofs: %s",
  async (wantsPassword) => {
    const plugin = "caching_sha2_password";
    await using server = await FakeServer.listen({ plugin, wantsPassword });
    await using relaying = await proxy(server);
    await using knowing = await proxy(server, known);
    for (const port of [server.port, relaying.port, knowing.port]) {
      const client = await connectTo(port);
      expect((await client.query("do 1"))[0]).toMatchObject({ affectedRows: 0 });
      client.destroy();
      await expect(connectTo(port, "a-wrong-one")).rejects.toMatchObject({ errno: 1045 });
    }
  },
);
