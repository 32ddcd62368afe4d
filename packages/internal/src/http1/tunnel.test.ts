import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { request, type RawClient } from "../testing/raw-client.ts";
import { describeTransports } from "../testing/serve.ts";

const asksForEcho = request("GET /", { connection: "keep-alive, Upgrade", upgrade: "chat, Echo" });

/** Sends back what comes, and ends when the client does. */
const echoes: HandletPart["handle"] = (req, resp) => {
  if (!req.upgrades.includes("echo")) resp.send("no tunnel");
  else {
    const tunnel = resp.tunnel("echo", () => tunnel.end("drained"));
    tunnel.pipe(tunnel);
  }
  return true;
};

describeTransports(({ serve }) => {
  test("a tunnel carries bytes both ways, those behind the head first", async () => {
    await using server = await serve(echoes);
    const client = await server.connect();
    client.send(asksForEcho + "early ");
    const head = await client.through("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).toContain("\r\nconnection: upgrade\r\nupgrade: echo\r\n");
    expect(head).not.toMatch(/content-length|transfer-encoding/);
    await client.through("early ");
    await client.send("GET / HTTP/1.1\r\n\r\n").through("GET / HTTP/1.1\r\n\r\n");
    client.end();
    expect(await rest(client)).toBe("");
  });

  test("fields that were set go out with the answer", async () => {
    await using server = await serve((_req, resp) => {
      resp.setHeader("x-a", "b");
      resp.tunnel("chat", noop).destroy();
      return true;
    });
    expect(await rest((await server.connect()).send(asksForEcho))).toContain("\r\nx-a: b\r\n");
  });

  test.each([
    ["HTTP/1.0", "GET / HTTP/1.0\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"],
    [
      "a request with content",
      request("POST /", { connection: "upgrade", upgrade: "echo", "content-length": "2" }) + "ab",
    ],
    ["a field that the connection does not name", request("GET /", { upgrade: "echo" })],
    ["no field", request("GET /", { connection: "upgrade" })],
  ])("an upgrade is not seen in %s", async (_name, bytes) => {
    await using server = await serve(echoes);
    expect(await server.ask(bytes)).toMatchObject({ status: 200, text: "no tunnel" });
  });

  test("a tunnel that the client did not ask for is a fault of the handlet", async () => {
    await using server = await serve((_req, resp) => {
      resp.tunnel("other", noop);
      return true;
    });
    expect(await server.ask(asksForEcho)).toMatchObject({ status: 500 });
    expect(server.log.join("")).toContain("the client did not ask for other");
  });

  test("after a tunnel nothing else can be answered", async () => {
    let error: unknown;
    await using server = await serve((_req, resp) => {
      const tunnel = resp.tunnel("echo", noop);
      try {
        resp.send("hello");
      } catch (thrown) {
        error = thrown;
      }
      tunnel.end();
      return true;
    });
    const client = await server.connect();
    await client.send(asksForEcho).through("\r\n\r\n");
    client.end();
    expect(await rest(client)).toBe("");
    expect(error).toMatchObject({ code: "HEMI_HEAD_SENT" });
  });

  test("a tunnel outlives the limits of an exchan", async () => {
    let tunnel: Duplex | undefined;
    const settings = { handleTimeout: 1, idleTimeout: 1, headTimeout: 1, contentTimeout: 1, writeTimeout: 1 };
    const handle: HandletPart["handle"] = (_req, resp) => {
      tunnel = resp.tunnel("echo", noop);
      return true;
    };
    await using server = await serve({ handlets: [handle], settings });
    const client = await server.connect();
    await client.send(asksForEcho).through("\r\n\r\n");
    // Another connection that meets its limit shows that those of the tunnel have passed, too.
    const idle = await server.connect();
    expect(await rest(idle)).toBe("");
    tunnel?.end("still there");
    expect(await rest(client)).toBe("still there");
  });

  test("whoever has a tunnel is told that the server drains", async () => {
    await using server = await serve(echoes);
    const client = await server.connect();
    await client.send(asksForEcho).through("\r\n\r\n");
    const quit = server.stage.quit(5000);
    expect(await rest(client)).toBe("drained");
    client.end();
    await quit;
  });

  test("a tunnel is broken off when the time to drain is over", async () => {
    await using server = await serve((_req, resp) => {
      resp.tunnel("echo", noop);
      return true;
    });
    const client = await server.connect();
    await client.send(asksForEcho).through("\r\n\r\n");
    await server.stage.quit(1);
    await client.toTheEnd().catch(noop);
  });

  test("an exchan with a tunnel ends with what was sent through it", async () => {
    const ended = Promise.withResolvers<readonly unknown[]>();
    let wasAborted = false;
    await using server = await serve((req, resp) => {
      req.onAbort(() => (wasAborted = true));
      resp.onEnd((...how) => ended.resolve(how));
      resp.tunnel("echo", noop).end("12345");
      return true;
    });
    const client = await server.connect();
    client.send(asksForEcho).end();
    await client.toTheEnd();
    expect((await ended.promise).slice(0, 2)).toEqual([101, 5]);
    expect(wasAborted).toBe(false);
  });

  /** What comes until the server closes. */
  async function rest(client: RawClient): Promise<string> {
    return (await client.toTheEnd()).toString("latin1");
  }

  function noop(): void {}
});
