import { describe, expect, test } from "vitest";
import { maxBacklog } from "./backlog.ts";
import type { HandletPart } from "../kinds.ts";
import { request } from "../../testing/raw-client.ts";
import { describeTransports } from "../../testing/serve.ts";

const block = Buffer.alloc(256 * 1024, "x");
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const asItIs = { rank: 5, reviseResponse: () => ({ push: pass }) };

describeTransports(({ serve }) => {
  describe("a handlet that does not wait for its client", () => {
    test.each([
      ["straight", []],
      ["through a filter", [asItIs]],
    ])("is stopped when too much waits %s, and told in the log to await", async (_name, revisers) => {
      let echoed = 0;
      const stopped = Promise.withResolvers<unknown>();
      const handle: HandletPart["handle"] = (req, resp) => {
        req.signal.addEventListener("abort", () => stopped.resolve(undefined));
        // As a listener of some emitter would: nothing catches what is thrown, nobody looks at what is returned.
        void (async () => {
          for (let i = 0; i < 1000; i++) {
            void resp.echo(block);
            if (!req.signal.aborted) echoed += block.length;
            if (i % 10 === 0) await turn();
          }
          resp.end();
        })();
        return true;
      };
      await using server = await serve({ handlets: [handle], revisers });
      await using client = await server.connect();
      client.socket.pause();
      client.send(request("GET /a"));
      await stopped.promise;
      client.socket.resume();
      await expect(client.response()).rejects.toThrow(/broke|ended/);
      // What the sockets hold on both sides comes on top.
      expect(echoed).toBeGreaterThan(maxBacklog);
      expect(echoed).toBeLessThan(3 * maxBacklog);
      for (let i = 0; i < 100; i++) await turn();
      const lines = server.log.filter((line) => line.includes(" error "));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain("webapp.app/rule/handlet1");
      expect(lines[0]).toContain("failed at GET /a");
      expect(lines[0]).toMatch(/HEMI_USAGE.*await echo\(\)/);
    });

    test("hears of it once, if it looks at last", async () => {
      const handle: HandletPart["handle"] = async (_req, resp) => {
        const sent: unknown[] = [];
        for (let i = 0; i < 200; i++) sent.push(resp.echo(block));
        await Promise.all(sent);
        return true;
      };
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request("GET /"));
      await expect(client.response()).rejects.toThrow(/broke|ended/);
      await turn();
      expect(server.log.filter((line) => line.includes(" error "))).toHaveLength(1);
    });

    test("is stopped for many small pieces too: keeping each costs more than its bytes", async () => {
      let echoed = 0;
      const handle: HandletPart["handle"] = (req, resp) => {
        for (; echoed < 1_000_000 && !req.signal.aborted; echoed++) void resp.echo("x");
        return true;
      };
      await using server = await serve({ handlets: [handle], revisers: [asItIs] });
      await using client = await server.connect();
      client.send(request("GET /"));
      await expect(client.response()).rejects.toThrow(/broke|ended/);
      expect(echoed).toBeLessThan(100_000);
    });

    test.each([
      ["straight", []],
      ["through a filter", [asItIs]],
    ])("has what stays within the bound sent %s, and any first piece", async (_name, revisers) => {
      const large = Buffer.alloc(2 * maxBacklog, "y");
      const handle: HandletPart["handle"] = (_req, resp) => {
        void resp.echo(large);
        for (let i = 0; i < 40; i++) void resp.echo(block);
        resp.end();
        return true;
      };
      await using server = await serve({ handlets: [handle], revisers });
      expect((await server.ask("GET /")).content.length).toBe(large.length + 40 * block.length);
    });
  });

  test("a handlet that waits may send any amount", async () => {
    const handle: HandletPart["handle"] = async (_req, resp) => {
      for (let i = 0; i < 200; i++) await resp.echo(block);
      resp.end();
      return true;
    };
    await using server = await serve(handle);
    expect((await server.ask("GET /")).content.length).toBe(200 * block.length);
  });

  test("a handlet behind a filter that does not notice that its client has left does no harm", async () => {
    const done = Promise.withResolvers<void>();
    const handle: HandletPart["handle"] = (req, resp) => {
      req.signal.addEventListener("abort", () => {
        void (async () => {
          for (let i = 0; i < 10; i++) {
            void resp.echo("x");
            void resp.flush();
            await turn();
          }
          resp.end();
          void resp.echo("x");
          done.resolve();
        })().catch(done.reject);
      });
      void resp.echo(block);
      return true;
    };
    await using server = await serve({ handlets: [handle], revisers: [asItIs] });
    await using client = await server.connect();
    client.send(request("GET /"));
    await client.through("\r\n\r\n");
    client.reset();
    await done.promise;
  });
});

function pass(piece: Uint8Array, next: (piece: Uint8Array) => void | Promise<void>): void | Promise<void> {
  return next(piece);
}
