import { once } from "node:events";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { describeTransports } from "../testing/serve.ts";
import { frame, FrameClient } from "../testing/frame-client.ts";
import { frameFlag, frameType, settingId } from "./frames.ts";

const connect = { ":method": "CONNECT", ":protocol": "echo" };

/** Sends back what comes, and ends when the client does. */
const echoes: HandletPart["handle"] = (req, resp) => {
  if (!req.upgrades.includes("echo")) resp.send("no tunnel");
  else {
    const tunnel = resp.tunnel("echo", () => tunnel.end("drained"));
    tunnel.on("error", () => undefined);
    tunnel.pipe(tunnel);
  }
  return true;
};

describeTransports(({ serve }) => {
  test("a tunnel carries bytes both ways, and ends when both sides have", async () => {
    await using server = await serve(echoes);
    const client = await FrameClient.connect(server);
    client.send(client.request(1, connect, false), client.data(1, "early "));
    expect((await client.nextOfType(frameType.data, 1)).payload.toString()).toBe("early ");
    client.send(client.data(1, "late", true));
    const { status, headers, text: heard } = await client.response(1);
    expect([status, headers["content-length"], heard]).toEqual([200, undefined, "late"]);
    await client.roundTrip();
    expect(await client.send(client.request(3)).response(3)).toMatchObject({ text: "no tunnel" });
  });

  test.each([
    ["waits for it", true],
    ["is slow", false],
  ])("who has ended its side of a tunnel, and %s, hears the last that its client says", async (_what, waits) => {
    const { promise, resolve } = Promise.withResolvers<Duplex>();
    await using server = await serve((_req, resp) => {
      resolve(resp.tunnel("echo", () => undefined).end("bye"));
      return true;
    });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, connect, false));
    const tunnel = await promise;
    await client.roundTrip();
    const said = Buffer.alloc(60_000, "late ");
    const heard = waits ? text(tunnel) : undefined;
    for (let at = 0; at < said.length; at += 10_000) {
      client.send(client.data(1, said.subarray(at, at + 10_000), at + 10_000 === said.length));
    }
    await client.roundTrip();
    expect(await (heard ?? text(tunnel))).toBe(said.toString());
  });

  test("what nobody reads of a tunnel that is over takes nothing of what other streams may send", async () => {
    let tunnel: Duplex | undefined;
    const handle: HandletPart["handle"] = (_req, resp) => {
      tunnel = resp.tunnel("echo", () => undefined);
      tunnel.end();
      return true;
    };
    await using server = await serve({ handlets: [handle], settings: { http2ConnWindow: 65_536 } });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, connect, false));
    await client.nextOfType(frameType.data, 1);
    for (let i = 0; i < 4; i++) client.send(client.data(1, Buffer.alloc(16_000), i === 3));
    await client.roundTrip();
    tunnel?.destroy();
    await client.roundTrip();
    const widened = client.passedOfType(frameType.windowUpdate).filter(({ id }) => id === 0);
    expect(widened.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0)).toBeGreaterThan(60_000);
  });

  test("we say that there are tunnels", async () => {
    await using server = await serve(echoes);
    const { payload } = await (await FrameClient.connect(server)).next();
    expect(payload.toString("hex")).toContain(
      `00${settingId.enableConnectProtocol.toString(16).padStart(2, "0")}00000001`,
    );
  });

  test("an answer that is no tunnel is not taken for one", async () => {
    await using server = await serve((_req, resp) => (resp.send("a page"), true));
    const client = await FrameClient.connect(server);
    expect(await client.send(client.request(1, connect, false)).response(1)).toMatchObject({ status: 501, text: "" });
  });

  test("a tunnel outlives the limits of an exchan, and holds no other stream up", async () => {
    let tunnel: Duplex | undefined;
    const settings = { handleTimeout: 1, contentTimeout: 1, writeTimeout: 1 };
    const handle: HandletPart["handle"] = (req, resp) => {
      if (req.upgrades.length === 0) return true;
      tunnel = resp.tunnel("echo", () => undefined).resume();
      return true;
    };
    await using server = await serve({ handlets: [handle], settings });
    const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 10 });
    client.send(client.request(1, connect, false), client.request(3));
    client.putBack(await client.nextOfType(frameType.headers, 3));
    tunnel?.end("still there");
    expect((await client.nextOfType(frameType.data, 1)).payload.toString()).toBe("still ther");
    client.send(frame(frameType.windowUpdate, 0, 1, 10), client.data(1, "", true));
    expect((await client.nextOfType(frameType.data, 1)).payload.toString()).toBe("e");
  });

  test("a tunnel that either side gives up is over for both", async () => {
    const broken = Promise.withResolvers<unknown>();
    await using server = await serve((req, resp) => {
      const tunnel = resp.tunnel("echo", () => undefined);
      tunnel.on("error", broken.resolve);
      if (req.path === "/destroy") tunnel.destroy();
      return true;
    });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, connect, false), client.request(3, { ...connect, ":path": "/destroy" }, false));
    expect(await client.reset(3)).toBe("CANCEL");
    client.send(frame(frameType.rstStream, 0, 1, 8));
    expect(await broken.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
  });

  test("who has a tunnel does not hear that its client asks for nothing more, or may not", async () => {
    await using server = await serve({ handlets: [echoes], settings: { maxRequestsPerConn: 1 } });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, connect, false), frame(frameType.goaway, 0, 0, Buffer.alloc(8)));
    expect(await client.goaway()).toBe("NO_ERROR");
    client.send(client.data(1, "still", true));
    expect((await client.nextOfType(frameType.data, 1)).payload.toString()).toBe("still");
  });

  test.each<[string, Record<string, number>, (client: FrameClient) => Uint8Array[]]>([
    ["", {}, () => []],
    [" whose client has left", {}, () => [frame(frameType.goaway, 0, 0, Buffer.alloc(8))]],
    [" whose client may ask for nothing more", { maxRequestsPerConn: 1 }, () => []],
  ])("who has a tunnel%s hears that the server drains", async (_what, settings, make) => {
    await using server = await serve({ handlets: [echoes], settings });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, connect, false), ...make(client));
    await client.roundTrip();
    const quitting = server.stage.quit(5000);
    const { payload, flags } = await client.nextOfType(frameType.data, 1);
    expect(payload.toString()).toBe("drained");
    if ((flags & frameFlag.endStream) === 0) await client.nextOfType(frameType.data, 1);
    client.send(client.data(1, "", true));
    client.raw.end();
    await Promise.all([quitting, once(client.raw.socket, "close")]);
  });
});
