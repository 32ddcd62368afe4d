import { mkdtempDisposable, open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { ContentFilter, PushPiece } from "../content/filter.ts";
import type { HandletPart, ReviserPart } from "../kinds.ts";
import { request } from "../../testing/raw-client.ts";
import { describeTransports } from "../../testing/serve.ts";

type Handle = HandletPart["handle"];

/** A handlet of one step. */
const doing =
  (step: (...exchan: Parameters<Handle>) => unknown): Handle =>
  async (req, resp) => {
    await step(req, resp);
    return true;
  };

describeTransports(({ serve }) => {
  test("a head is sent before there is any content, once", async () => {
    const more = Promise.withResolvers<void>();
    await using server = await serve(
      doing(async (_req, resp) => {
        resp.sendHead();
        resp.sendHead();
        expect(resp.isHeadSent).toBe(true);
        await more.promise;
        await resp.echo("more");
        resp.end();
      }),
    );
    const client = await server.connect();
    client.send(request("GET /"));
    expect(await client.through("\r\n\r\n")).toContain("HTTP/1.1 200 OK");
    more.resolve();
    expect(await client.through("0\r\n\r\n")).toBe("4\r\nmore\r\n0\r\n\r\n");
  });

  test.each<[string, Handle, object]>([
    [
      "text",
      doing((_req, resp) => resp.send("hällo")),
      { text: "hällo", headers: { "content-type": "text/plain; charset=utf-8", "content-length": "6" } },
    ],
    ["bytes", doing((_req, resp) => resp.send(Buffer.from([1, 2]))), { content: Buffer.from([1, 2]) }],
    ["many bytes", doing((_req, resp) => resp.send(Buffer.alloc(200_000, "x"))), { text: "x".repeat(200_000) }],
    ["much text", doing((_req, resp) => resp.send("ä".repeat(100_000))), { text: "ä".repeat(100_000) }],
    ["nothing", doing((_req, resp) => resp.send()), { text: "", headers: { "content-length": "0" } }],
    ["an end alone", doing((_req, resp) => resp.end()), { text: "", framing: "sized" }],
    [
      "JSON",
      doing((_req, resp) => resp.sendJSON({ a: [1, "ä"] })),
      { text: '{"a":[1,"ä"]}', headers: { "content-type": "application/json" } },
    ],
    ["null as JSON", doing((_req, resp) => resp.sendJSON(null)), { text: "null" }],
    [
      "a type of one's own",
      doing((_req, resp) => (resp.setHeader("Content-Type", "text/html"), resp.send("x"))),
      { headers: { "content-type": "text/html" } },
    ],
    [
      "a redirection",
      doing((_req, resp) => resp.redirect("/b?c")),
      { status: 302, headers: { location: "/b?c", "content-length": "0" } },
    ],
    [
      "a lasting redirection",
      doing((_req, resp) => resp.redirect("b", 308)),
      { status: 308, headers: { location: "b" } },
    ],
    [
      "a status without a phrase",
      doing((_req, resp) => ((resp.status = 599), resp.send())),
      { status: 599, reason: "" },
    ],
    [
      "a status that has no meaning",
      doing((_req, resp) => ((resp.status = 999), resp.send())),
      { status: 999, reason: "" },
    ],
    [
      "a reason phrase of one's own",
      doing((_req, resp) => ((resp.status = 404), (resp.reason = "Gone Fishing"), resp.send("x"))),
      { status: 404, reason: "Gone Fishing", text: "x" },
    ],
    [
      "a status that is set after a reason phrase",
      doing((_req, resp) => ((resp.reason = "Fine"), (resp.status = 404), resp.send())),
      { status: 404, reason: "Not Found" },
    ],
    [
      "the protocols to ask for",
      doing((_req, resp) => ((resp.status = 426), (resp.upgrade = "echo/1"), resp.send())),
      { status: 426, headers: { upgrade: "echo/1", connection: "upgrade" } },
    ],
    [
      "trailers alone",
      doing((_req, resp) => (resp.setTrailer("x", 1), resp.end())),
      { text: "", trailers: { x: "1" } },
    ],
    [
      "a cookie",
      doing((_req, resp) => (resp.setCookie("a", "b c"), resp.send())),
      { headers: { "set-cookie": "a=b%20c; Path=/" } },
    ],
  ])("%s can be sent", async (_name, handle, expected) => {
    await using server = await serve(handle);
    const response = await server.ask("GET /");
    expect(response).toMatchObject(expected);
  });

  test("fields are set, added and removed by any case of their names, and go out in lower case", async () => {
    await using server = await serve(
      doing((_req, resp) => {
        resp.addHeader("X-A", 1);
        resp.addHeader("x-a", "2");
        resp.addHeader("X-B", "1");
        resp.addHeader("x-b", "2");
        resp.addHeader("x-b", "3");
        resp.setHeader("X-b", "\u00e4");
        resp.addHeader("x-c", "");
        resp.addHeader("X-D", "d");
        resp.removeHeader("x-C");
        resp.send(`${resp.header("x-A")} ${resp.header("x-e")}`);
      }),
    );
    const response = await server.ask("GET /");
    expect(response.text).toBe("1 undefined");
    expect(response.fields.slice(1, 5)).toEqual([
      ["x-a", "1"],
      ["x-a", "2"],
      ["x-b", "\u00e4"],
      ["x-d", "d"],
    ]);
  });

  test("interim answers come first, and not to HTTP/1.0", async () => {
    await using server = await serve(
      doing((_req, resp) => {
        resp.interim(103, { Link: "</a.css>" });
        resp.interim(199);
        resp.send("hello");
      }),
    );
    const { interims } = await server.ask("GET /");
    expect(interims).toMatchObject([
      { status: 103, fields: [["link", "</a.css>"]] },
      { status: 199, fields: [] },
    ]);
    expect(await server.ask("GET / HTTP/1.0\r\n\r\n")).toMatchObject({ text: "hello", interims: [] });
  });

  test("pieces of one tick go out in one packet with their head", async () => {
    await using server = await serve(
      doing(async (_req, resp) => {
        await turn();
        void resp.echo("a");
        void resp.echo("b");
        resp.end();
      }),
    );
    await using client = await server.connect();
    const packets: Buffer[] = [];
    client.socket.on("data", (packet: Buffer) => packets.push(packet));
    client.send(request("GET /"));
    expect(await client.response()).toMatchObject({ text: "ab" });
    expect(packets).toHaveLength(1);
  });

  describe("streams", () => {
    test("are sent to their end", async () => {
      const source = async function* (): AsyncGenerator<string | Uint8Array> {
        yield "a";
        await turn();
        yield Buffer.from("b");
      };
      await using server = await serve(doing((_req, resp) => resp.sendStream(source())));
      expect(await server.ask("GET /")).toMatchObject({ framing: "chunked", text: "ab" });
    });

    test("are not begun for HEAD, but told to stop", async () => {
      const source = {
        stopped: 0,
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error("begun")),
          return: () => {
            source.stopped++;
            return Promise.resolve({ done: true as const, value: undefined });
          },
        }),
      };
      await using server = await serve(doing((_req, resp) => resp.sendStream(source)));
      expect(await server.ask("HEAD /")).toMatchObject({ status: 200 });
      expect(source.stopped).toBe(1);
    });

    test("are told to stop when the client leaves", async () => {
      const stopped = Promise.withResolvers<void>();
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield Buffer.alloc(64 * 1024);
        } finally {
          stopped.resolve();
        }
      };
      await using server = await serve(doing((_req, resp) => resp.sendStream(source())));
      await using client = await server.connect();
      client.send(request("GET /"));
      await client.through("\r\n\r\n");
      client.reset();
      await stopped.promise;
    });
  });

  describe("files", () => {
    const text = "0123456789".repeat(30_000);

    test.each([
      ["small.html", { text: "hello", headers: { "content-type": "text/html; charset=utf-8", "content-length": "5" } }],
      ["large", { text, headers: { "content-type": "application/octet-stream", "content-length": "300000" } }],
      ["missing", { status: 404 }],
      [".", { status: 404 }],
    ])("%s is sent as it should be", async (name, expected) => {
      await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-"));
      await writeFile(join(folder.path, "small.html"), "hello");
      await writeFile(join(folder.path, "large"), text);
      await using server = await serve(doing((_req, resp) => resp.sendFile(join(folder.path, name))));
      expect(await server.ask("GET /")).toMatchObject(expected);
      const head = await server.ask("HEAD /");
      expect(head).toMatchObject({ ...expected, text: "" });
    });

    test("a region is sent, and one of a file that shrinks is broken off", async () => {
      await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-"));
      const path = join(folder.path, "file");
      await writeFile(path, text);
      await using file = await open(path, "r+");
      const region = { fd: file.fd, offset: 5, size: 200_000 };
      await using server = await serve(doing((_req, resp) => resp.sendRegion(region)));
      expect(await server.ask("GET /")).toMatchObject({ text: text.slice(5, 200_005), framing: "sized" });
      await file.truncate(100_000);
      await using client = await server.connect();
      client.send(request("GET /"));
      await expect(client.response()).rejects.toThrow(/broke|ended/);
      expect(server.log.join("")).toContain("the file ended");
    });
  });

  describe("revisers", () => {
    const wrap = (rank: number, sign: string, calls: string[] = []): ReviserPart => ({
      rank,
      reviseResponse(_req, resp) {
        calls.push(sign);
        resp.addHeader("x-order", sign);
        return {
          push: (piece: Uint8Array, next: PushPiece) => next(Buffer.from(`${sign}(${Buffer.from(piece).toString()})`)),
          end: (next: PushPiece) => next(Buffer.from(sign.toUpperCase())),
          close: () => void calls.push(`close ${sign}`),
        };
      },
    });

    test.each<[string, Handle]>([
      ["whole", doing((_req, resp) => resp.send("x"))],
      ["streamed", doing(async (_req, resp) => (await resp.echo("x"), resp.end()))],
    ])("filter what is %s: that of the highest rank first, and of equal ones the first last", async (_name, handle) => {
      const calls: string[] = [];
      const revisers = [wrap(1, "a", calls), wrap(9, "b", calls), wrap(9, "c", calls)];
      await using server = await serve({ handlets: [handle], revisers });
      const response = await server.ask("GET /");
      expect(response).toMatchObject({ text: "a(b(c(x)))a(b(C))a(B)A", framing: "chunked" });
      expect(response.headers["x-order"]).toBe("c, b, a");
      expect(calls).toEqual(["c", "b", "a", "close c", "close b", "close a"]);
    });

    test.each<[string, Handle, object]>([
      ["HEAD", doing((_req, resp) => resp.send("x")), { status: 200 }],
      ["GET", doing((_req, resp) => ((resp.status = 304), resp.send())), { status: 304 }],
      ["GET", doing((_req, resp) => ((resp.status = 204), resp.send())), { status: 204 }],
    ])(
      "see the head of an answer to %s without content, and its length is not told",
      async (method, handle, expected) => {
        const calls: string[] = [];
        await using server = await serve({ handlets: [handle], revisers: [wrap(1, "a", calls)] });
        const response = await server.ask(`${method} /`);
        expect(response).toMatchObject({ ...expected, text: "" });
        expect(response.headers).toMatchObject({ "x-order": "a" });
        expect(response.headers["content-length"]).toBeUndefined();
        expect(calls).toEqual(["a", "close a"]);
      },
    );

    test("that want no filter leave an answer in one piece", async () => {
      const reviser: ReviserPart = {
        rank: 0,
        reviseResponse(req, resp) {
          resp.status = 201;
          resp.setHeader("x-path", req.path);
          return undefined;
        },
      };
      await using server = await serve({ handlets: [doing((_req, resp) => resp.send("x"))], revisers: [reviser] });
      expect(await server.ask("GET /a")).toMatchObject({
        status: 201,
        framing: "sized",
        text: "x",
        headers: { "x-path": "/a" },
      });
    });

    test("see the answers that the engine gives in place of a handlet", async () => {
      await using server = await serve({ handlets: [() => false], revisers: [wrap(0, "a")] });
      expect(await server.ask("GET /")).toMatchObject({ status: 404, text: "a(404 Not Found\n)A" });
    });

    test("that keep content back let go of it when it is flushed", async () => {
      let kept = "";
      const hoard: ContentFilter = {
        push: (piece) => void (kept += Buffer.from(piece).toString()),
        flush: (next) => next(Buffer.from(kept)),
      };
      const flushed = Promise.withResolvers<void>();
      const handle = doing(async (_req, resp) => {
        await resp.echo("a");
        await resp.echo("b");
        await resp.flush();
        await flushed.promise;
        resp.end();
      });
      const revisers = [{ rank: 0, reviseResponse: () => hoard }];
      await using server = await serve({ handlets: [handle], revisers });
      await using client = await server.connect();
      client.send(request("GET /"));
      expect(await client.through("2\r\nab\r\n")).toContain("chunked");
      flushed.resolve();
      expect(await client.exactly(5)).toEqual(Buffer.from("0\r\n\r\n"));
    });

    test("that are slow hold the handlet back", async () => {
      const order: string[] = [];
      const slow: ContentFilter = {
        async push(piece, next) {
          await turn();
          order.push(`pushed ${Buffer.from(piece).toString()}`);
          await next(piece);
        },
      };
      const handle = doing(async (_req, resp) => {
        for (const piece of ["a", "b", "c"]) {
          await resp.echo(piece);
          order.push(`echoed ${piece}`);
        }
        resp.end();
      });
      await using server = await serve({ handlets: [handle], revisers: [{ rank: 0, reviseResponse: () => slow }] });
      expect(await server.ask("GET /")).toMatchObject({ text: "abc" });
      expect(order).toEqual(["a", "b", "c"].flatMap((piece) => [`pushed ${piece}`, `echoed ${piece}`]));
    });
  });

  describe("a 205 has no content (RFC 9110 15.3.6)", () => {
    test.each<[string, HandletPart["handle"]]>([
      ["sent", (_req, resp) => ((resp.status = 205), resp.send("hello"), true)],
      [
        "streamed",
        async (_req, resp) => {
          resp.status = 205;
          await resp.echo("hello");
          resp.end();
          return true;
        },
      ],
    ])("when it is %s", async (_name, handle) => {
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request("GET /") + request("GET /"));
      expect(await client.response()).toMatchObject({ status: 205, text: "", headers: { "content-length": "0" } });
      expect(await client.response()).toMatchObject({ status: 205, text: "" });
      expect(await server.stage.inject({ url: "/" })).toMatchObject({ status: 205, text: "" });
    });
  });
});
