import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { request } from "../testing/raw-client.ts";
import { describeTransports } from "../testing/serve.ts";
import { frameFlag, frameType, preface, settingId } from "./frames.ts";
import { frame, FrameClient, settings } from "../testing/frame-client.ts";

type Handle = HandletPart["handle"];

const hello: Handle = (_req, resp) => (resp.send("hello"), true);
const echo: Handle = async (req, resp) => {
  resp.send(`${req.method} ${await req.content.text()}`);
  return true;
};

describeTransports(({ serve, isTLS }) => {
  describe("a connection", () => {
    test("is HTTP/2 by its first bytes, even where they come one by one", async () => {
      await using server = await serve(hello);
      const client = new FrameClient(await server.connect());
      const bytes = Buffer.concat([preface, frame(frameType.settings, 0, 0), client.request(1)]);
      await client.raw.sendByteByByte(bytes.toString("latin1"));
      expect(await client.response(1)).toMatchObject({ status: 200, text: "hello" });
    });

    test("is HTTP/1 where HTTP/2 is turned off, and everywhere else", async () => {
      await using server = await serve({ handlets: [hello], settings: { http2: false } });
      const client = (await server.connect()).send(preface);
      expect(await client.response()).toMatchObject({ status: 400 });
      await using other = await serve(hello);
      const late = (await other.connect()).send(request("GET /"));
      await late.response();
      expect(await late.send(preface).response()).toMatchObject({ status: 400 });
    });

    test("begins with our settings", async () => {
      await using server = await serve({ handlets: [hello], settings: { http2MaxStreams: 7 } });
      const client = await FrameClient.connect(server);
      const { type, payload } = await client.next();
      expect(type).toBe(frameType.settings);
      const values = Object.fromEntries(
        Array.from({ length: payload.length / 6 }, (_, i) => [
          payload.readUInt16BE(i * 6),
          payload.readUInt32BE(i * 6 + 2),
        ]),
      );
      expect(values).toMatchObject({ [settingId.maxConcurrentStreams]: 7, [settingId.noRFC7540Priorities]: 1 });
    });

    test("answers PING, and SETTINGS, before anything else that comes", async () => {
      await using server = await serve(hello);
      const client = await FrameClient.connect(server);
      await client.roundTrip();
      client.send(frame(frameType.settings, 0, 0, settings({ [settingId.headerTableSize]: 0 })));
      await client.nextOf(({ type, flags }) => type === frameType.settings && flags === frameFlag.ack);
      expect(await client.send(client.request(1)).response(1)).toMatchObject({ status: 200, text: "hello" });
    });

    test("passes over frames and settings that it does not know", async () => {
      await using server = await serve(hello);
      const client = await FrameClient.connect(server, { 0xff: 1 });
      client.send(frame(0x42, 0xff, 0, "what"), frame(frameType.priority, 0, 3, Buffer.alloc(5)), client.request(1));
      expect(await client.response(1)).toMatchObject({ status: 200 });
    });

    test("answers many requests of one reading, in one write", async () => {
      await using server = await serve((req, resp) => (resp.send(req.path), true));
      const client = await FrameClient.connect(server);
      const ids = Array.from({ length: 100 }, (_, i) => 2 * i + 1);
      client.send(...ids.map((id) => client.request(id, { ":path": `/${id}` })));
      for (const id of ids) expect(await client.response(id)).toMatchObject({ text: `/${id}` });
    });

    test("keeps requests with equal heads apart", async () => {
      let count = 0;
      await using server = await serve((req, resp) => (resp.send(`${req.path} ${++count}`), true));
      const client = await FrameClient.connect(server);
      for (const [i, path] of ["/a", "/a", "/b", "/a", "/b"].entries()) {
        client.send(client.request(2 * i + 1, { ":path": path }));
        expect(await client.response(2 * i + 1)).toMatchObject({ text: `${path} ${i + 1}` });
      }
    });
  });

  describe("a request", () => {
    test("is seen as one of HTTP/1 is", async () => {
      await using server = await serve((req, resp) => {
        const { version, method, scheme, authority, path, queryString } = req;
        resp.sendJSON({
          version,
          method,
          scheme,
          authority,
          path,
          queryString,
          headers: [...req.headers],
          a: req.cookie("a"),
          c: req.cookie("c"),
        });
        return true;
      });
      const client = await FrameClient.connect(server);
      const list = [":method", "PUT", ":scheme", "https", ":path", "/p%41?q=1", ":authority", "Shop.example:8080"];
      const head = client.block([...list, "cookie", "a=b", "x-y", "z", "cookie", "c=d"]);
      client.send(frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, 1, head));
      expect(JSON.parse((await client.response(1)).text)).toEqual({
        ...{
          version: "2",
          method: "PUT",
          scheme: isTLS ? "https" : "http",
          authority: "shop.example:8080",
          path: "/pA",
          queryString: "?q=1",
        },
        ...{
          headers: [
            ["host", "Shop.example:8080"],
            ["x-y", "z"],
            ["cookie", "a=b; c=d"],
          ],
          a: "b",
          c: "d",
        },
      });
    });

    test("has its content, in however many frames it comes, padded or not", async () => {
      await using server = await serve(echo);
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":method": "POST" }, false), client.data(1, "he"), client.data(1, ""));
      client.send(frame(frameType.data, frameFlag.padded, 1, "\x02ll\0\0"), client.data(1, "o", true));
      expect(await client.response(1)).toMatchObject({ text: "POST hello" });
    });

    test("may have a head in several frames, padded, with a priority of old", async () => {
      await using server = await serve((req, resp) => (resp.send(req.header("x-a") ?? ""), true));
      const client = await FrameClient.connect(server);
      const block = client.block({
        ":method": "GET",
        ":scheme": "http",
        ":path": "/",
        ":authority": "a",
        "x-a": "b".repeat(50),
      });
      const first = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 15]), block.subarray(0, 5), Buffer.alloc(3)]);
      client.send(
        frame(frameType.headers, frameFlag.padded | frameFlag.priority | frameFlag.endStream, 1, first),
        frame(frameType.continuation, 0, 1),
        frame(frameType.continuation, 0, 1, block.subarray(5, 20)),
        frame(frameType.continuation, frameFlag.endHeaders, 1, block.subarray(20)),
      );
      expect(await client.response(1)).toMatchObject({ text: "b".repeat(50) });
    });

    test("may have trailers", async () => {
      await using server = await serve(async (req, resp) => {
        await req.content.text();
        resp.send(req.trailers.get("x-sum"));
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":method": "POST" }, false), client.data(1, "a"));
      client.send(
        frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, 1, client.block({ "x-sum": "7" })),
      );
      expect(await client.response(1)).toMatchObject({ text: "7" });
    });

    test("may expect 100-continue, and hears it when its content is asked for", async () => {
      await using server = await serve(echo);
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":method": "POST", expect: "100-continue" }, false));
      client.putBack(await client.nextOfType(frameType.headers, 1));
      client.send(client.data(1, "hello", true));
      expect(await client.response(1)).toMatchObject({ interims: [{ ":status": "100" }], text: "POST hello" });
    });

    test("to CONNECT is refused", async () => {
      await using server = await serve(hello);
      const client = await FrameClient.connect(server);
      client.send(
        frame(
          frameType.headers,
          frameFlag.endHeaders,
          1,
          client.block({ ":method": "CONNECT", ":authority": "a:443" }),
        ),
      );
      expect(await client.response(1)).toMatchObject({ status: 501 });
    });

    test("with a host that is none is answered with 400", async () => {
      await using server = await serve(hello);
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":authority": "a@b" }), client.request(3));
      expect(await client.response(1)).toMatchObject({ status: 400 });
      expect(await client.response(3)).toMatchObject({ status: 200 });
    });
  });

  describe("a response", () => {
    test("to HEAD, or of status 204, has no content", async () => {
      await using server = await serve((req, resp) => {
        if (req.path === "/204") resp.status = 204;
        resp.send(req.path === "/204" ? undefined : "hello");
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":method": "HEAD" }), client.request(3, { ":path": "/204" }));
      expect(await client.response(1)).toMatchObject({ status: 200, text: "", headers: { "content-length": "5" } });
      const { status, headers } = await client.response(3);
      expect(status).toBe(204);
      expect(headers["content-length"]).toBeUndefined();
    });

    test("of pieces to HEAD ends with its head", async () => {
      await using server = await serve(async (_req, resp) => {
        await resp.echo("hello");
        resp.end();
        return true;
      });
      const client = await FrameClient.connect(server);
      expect(await client.send(client.request(1, { ":method": "HEAD" })).response(1)).toMatchObject({
        status: 200,
        text: "",
      });
    });

    test("may have interim ones before it, pieces, and trailers", async () => {
      await using server = await serve(async (_req, resp) => {
        resp.interim(103, { link: "</a>; rel=preload" });
        await resp.echo("a");
        await resp.echo("ü");
        resp.setTrailer("x-sum", "7");
        resp.end();
        return true;
      });
      const client = await FrameClient.connect(server);
      expect(await client.send(client.request(1)).response(1)).toMatchObject({
        interims: [{ ":status": "103", link: "</a>; rel=preload" }],
        text: "aü",
        trailers: { "x-sum": "7" },
      });
    });

    test("may have a head that takes several frames", async () => {
      const long = "x".repeat(40_000);
      await using server = await serve((_req, resp) => {
        resp.setHeader("x-long", long);
        resp.send("hello");
        return true;
      });
      const client = await FrameClient.connect(server);
      expect(await client.send(client.request(1)).response(1)).toMatchObject({
        headers: { "x-long": long },
        text: "hello",
      });
    });

    test("of the same head is the same however often it is sent", async () => {
      await using server = await serve((req, resp) => {
        resp.setHeader("x-a", req.path);
        resp.addHeader("set-cookie", "a=b");
        resp.send(req.path);
        return true;
      });
      const client = await FrameClient.connect(server);
      for (const [i, path] of ["/a", "/a", "/a", "/b", "/a", "/c", "/b", "/b"].entries()) {
        client.send(client.request(2 * i + 1, { ":path": path }));
        const { headers, text } = await client.response(2 * i + 1);
        expect([headers["x-a"], headers["set-cookie"], text]).toEqual([path, "a=b", path]);
      }
    });

    test("that comes before all of the request is complete, and the rest is not wanted", async () => {
      await using server = await serve(hello);
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":method": "POST" }, false), client.data(1, "some"));
      expect(await client.response(1)).toMatchObject({ status: 200, text: "hello" });
      expect(await client.reset(1)).toBe("NO_ERROR");
      // What was on its way is passed over.
      client.send(client.data(1, "more"), client.data(1, "", true), client.request(3));
      expect(await client.response(3)).toMatchObject({ status: 200 });
    });

    test("that is broken off resets its stream alone", async () => {
      await using server = await serve(async (req, resp) => {
        await resp.echo("hello");
        if (req.path === "/bad") resp.abort();
        else resp.end();
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":path": "/bad" }), client.request(3));
      expect(await client.reset(1)).toBe("INTERNAL_ERROR");
      await client.nextOfType(frameType.headers, 1);
      await client.nextOfType(frameType.headers, 3);
    });
  });

  describe("a client that gives a request up", () => {
    test("is heard of by its handlet, and the others go on", async () => {
      const aborted = Promise.withResolvers<unknown>();
      await using server = await serve((req, resp) => {
        if (req.path === "/wait") req.signal.addEventListener("abort", () => aborted.resolve(req.signal.reason));
        else resp.send("hello");
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":path": "/wait" }), frame(frameType.rstStream, 0, 1, 8), client.request(3));
      expect(await aborted.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
      expect(await client.response(3)).toMatchObject({ text: "hello" });
    });

    test("while its content is read breaks the reading", async () => {
      const failed = Promise.withResolvers<unknown>();
      await using server = await serve(async (req) => {
        await req.content.text().catch(failed.resolve);
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":method": "POST" }, false), client.data(1, "a"));
      await client.roundTrip();
      client.send(frame(frameType.rstStream, 0, 1, 8));
      expect(await failed.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
    });

    test("by leaving altogether is heard of on all its streams", async () => {
      const left: string[] = [];
      const both = Promise.withResolvers<void>();
      await using server = await serve((req) => {
        req.onAbort(() => left.push(req.path) === 2 && both.resolve());
        return true;
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1, { ":path": "/a" }), client.request(3, { ":path": "/b" }));
      await client.roundTrip();
      client.raw.reset();
      await both.promise;
      expect(left).toEqual(["/a", "/b"]);
    });
  });

  describe("a server that drains", () => {
    test("tells it twice, and answers what has been asked for by then", async () => {
      const release = Promise.withResolvers<void>();
      await using server = await serve({
        handlets: [async (_req, resp) => (await release.promise, resp.send("hello"), true)],
        settings: { drainIdleTimeout: 60_000 },
      });
      const client = await FrameClient.connect(server);
      client.send(client.request(1));
      await client.roundTrip();
      const quitting = server.stage.quit(5000);
      const first = await client.nextOfType(frameType.goaway);
      expect(first.payload.toString("hex")).toBe("7fffffff00000000");
      const { payload } = await client.nextOfType(frameType.ping);
      client.send(client.request(3), frame(frameType.ping, frameFlag.ack, 0, payload));
      const second = await client.nextOfType(frameType.goaway);
      expect(second.payload.toString("hex")).toBe("0000000300000000");
      client.send(client.request(5));
      expect(await client.reset(5)).toBe("REFUSED_STREAM");
      release.resolve();
      expect(await client.response(1)).toMatchObject({ text: "hello" });
      expect(await client.response(3)).toMatchObject({ text: "hello" });
      expect(await client.raw.ending()).toBe("end");
      client.raw.end();
      await quitting;
    });
  });
});
