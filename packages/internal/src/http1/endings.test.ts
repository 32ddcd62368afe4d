import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { request } from "../testing/raw-client.ts";
import { describeTransports } from "../testing/serve.ts";

const hello: HandletPart["handle"] = (_req, resp) => (resp.send("hello"), true);
const notDrained = "was not drained by the deadline";

describeTransports(({ serve }) => {
  describe("content that no handlet read", () => {
    test.each([
      [10, undefined],
      [9, "close"],
    ])("is read away up to the limit (%i of 10 bytes)", async (maxDiscardedContent, connection) => {
      await using server = await serve({ handlets: [hello], settings: { maxDiscardedContent } });
      await using client = await server.connect();
      client.send(request("POST /", { "content-length": "10" }));
      expect((await client.response()).headers["connection"]).toBe(connection);
      if (connection === undefined) {
        client.send("0123456789" + request("GET /"));
        expect((await client.response()).text).toBe("hello");
      } else expect(await client.ending()).toBe("end");
    });
  });

  describe("a client that does not shut its side", () => {
    test("is waited for no longer than the linger timeout", async () => {
      await using server = await serve({ handlets: [hello], settings: { lingerTimeout: 20 } });
      await using client = await server.connect();
      client.send(request("GET /", { connection: "close" }));
      await client.response();
      expect(await client.ending()).toBe("end");
      await server.stage.quit(1500);
      expect(server.log.join("")).not.toContain(notDrained);
    });

    test("is cut off when it sends for longer than it may", async () => {
      await using server = await serve({ handlets: [hello], settings: { maxLingerTime: 20, lingerTimeout: 60_000 } });
      await using client = await server.connect();
      const cut = Promise.withResolvers<void>();
      client.socket.on("error", () => cut.resolve()).on("close", () => cut.resolve());
      client.send(request("GET /", { connection: "close" }));
      await client.response();
      const sendOn = (): void => void client.socket.write("x", (error) => error ?? setTimeout(sendOn, 2));
      sendOn();
      await cut.promise;
    });
  });

  describe("an idle client of a server that drains", () => {
    test("may still send a request within its timeout, which is answered as the last", async () => {
      await using server = await serve({
        handlets: [hello],
        settings: { drainIdleTimeout: 60_000, lingerTimeout: 20 },
      });
      await using client = await server.connect();
      client.send(request("GET /"));
      await client.response();
      const quitting = server.stage.quit(5000);
      client.send(request("GET /"));
      expect(await client.response()).toMatchObject({ text: "hello", headers: { connection: "close" } });
      client.end();
      await quitting;
      expect(server.log.join("")).not.toContain(notDrained);
    });

    test("that has sent one while the process stood still for longer than its timeout is answered", async () => {
      await using server = await serve({ handlets: [hello], settings: { drainIdleTimeout: 50, lingerTimeout: 20 } });
      await using client = await server.connect();
      client.send(request("GET /"));
      await client.response();
      const quitting = server.stage.quit(5000);
      await immediate();
      client.send(request("GET /"));
      const end = performance.now() + 600;
      while (performance.now() < end);
      expect(await client.response()).toMatchObject({ text: "hello", headers: { connection: "close" } });
      client.end();
      await quitting;
    });
  });
});
