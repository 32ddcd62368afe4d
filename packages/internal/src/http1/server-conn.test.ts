import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { crlf, request } from "../testing/raw-client.ts";
import { describeTransports } from "../testing/serve.ts";

/** Answers with the request's path, after a turn of the event loop where it begins with /later. */
const echoPath: HandletPart["handle"] = (req, resp) => {
  if (!req.path.startsWith("/later")) {
    resp.send(req.path);
    return true;
  }
  return new Promise((resolve) => {
    setImmediate(() => {
      resp.send(req.path);
      resolve(true);
    });
  });
};

/** Answers with the request's content and its trailers. */
const echoContent: HandletPart["handle"] = async (req, resp) => {
  const text = await req.content.text();
  resp.send([text, ...[...req.trailers].flat()].join(" "));
  return true;
};

describeTransports(({ serve }) => {
  describe("requests and answers", () => {
    test("a head may come in any pieces", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      const head = request("GET /a?b=c", { accept: "*/*" });
      for (let at = 1; at < head.length; at++) {
        client.send(head.slice(0, at));
        await new Promise((resolve) => setImmediate(resolve));
        client.send(head.slice(at));
        expect(await client.response()).toMatchObject({ status: 200, text: "/a" });
      }
    });

    test("content in chunks may come byte by byte", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      await client.sendByteByByte(
        request("POST /", { "transfer-encoding": "chunked" }) + crlf("5;x=y\nhello\n2\n, \n1\nx\n0\nA: 1\nb:2\n\n"),
      );
      expect(await client.response()).toMatchObject({ status: 200, text: "hello, x a 1 b 2" });
    });

    test("pipelined requests are answered in order, whether their handlets wait or not", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      const paths = ["/1", "/later2", "/3", "/4", "/later5", "/later6", "/7"];
      client.send(paths.map((path) => request(`GET ${path}`)).join(""));
      expect((await client.responses(paths.length)).map(({ text }) => text)).toEqual(paths);
    });

    test("pipelined requests with contents are told apart", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      client.send(
        request("POST /", {}, "one") +
          request("POST /", { "transfer-encoding": "chunked" }, crlf("3\ntwo\n0\n\n")) +
          crlf("\n") +
          request("POST /", {}, "three") +
          request("GET /"),
      );
      expect((await client.responses(4)).map(({ text }) => text)).toEqual(["one", "two", "three", ""]);
    });

    test("what was read of a request holds, whatever other connections read before it is asked for", async () => {
      const started = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const other = Promise.withResolvers<void>();
      let count = 0;
      await using server = await serve(async (req, resp) => {
        if (req.path === "/kept") {
          started[count++]?.resolve();
          await other.promise;
        }
        resp.send(`${req.path} ${req.header("x-note")} ${await req.content.text()}`);
        return true;
      });
      await using slow = await server.connect();
      await using fast = await server.connect();
      const kept = request("POST /kept", { "x-note": "mine" }, "my content");
      const others = request("POST /else", { "x-note": "yours" }, "yourselves");
      // The second one has the head of the first.
      slow.send(kept + kept);
      await started[0]?.promise;
      fast.send(others + others);
      expect((await fast.responses(2)).map(({ text }) => text)).toEqual(Array(2).fill("/else yours yourselves"));
      other.resolve();
      expect((await slow.responses(2)).map(({ text }) => text)).toEqual(Array(2).fill("/kept mine my content"));
    });

    test("a head that comes again is answered like the first, and one that differs by a byte is told apart", async () => {
      await using server = await serve((req, resp) => {
        resp.send(`${req.method} ${req.path} ${req.header("x-note") ?? ""}`);
        return true;
      });
      await using client = await server.connect();
      const asked = [
        request("GET /same", { "x-note": "a" }),
        request("GET /same", { "x-note": "a" }),
        request("GET /same", { "x-note": "b" }),
        request("GET /sama", { "x-note": "b" }),
        request("GET /same", { "x-note": "a" }) + request("GET /same", { "x-note": "a" }),
        request("GET /same", { "x-note": "aa" }),
      ];
      const answers: string[] = [];
      for (const bytes of asked) {
        client.send(bytes);
        for (const { text } of await client.responses(bytes.split("GET").length - 1)) answers.push(text);
      }
      expect(answers).toEqual([
        "GET /same a",
        "GET /same a",
        "GET /same b",
        "GET /sama b",
        "GET /same a",
        "GET /same a",
        "GET /same aa",
      ]);
    });

    test("heads with the same fields are told apart by their request lines", async () => {
      await using server = await serve((req, resp) => {
        const { version, method, authority, uri } = req;
        resp.send(`${version} ${method} ${authority} ${uri} ${req.header("x-note") ?? ""} ${req.hasContent}`);
        return true;
      });
      await using client = await server.connect();
      const fields = "Host: h.example\r\nX-Note: a\r\nConnection: keep-alive\r\n\r\n";
      const lines: readonly (readonly [line: string, answer: string])[] = [
        ["GET /1 HTTP/1.1", "1.1 GET h.example /1 a false"],
        ["GET /22?b=c HTTP/1.1", "1.1 GET h.example /22?b=c a false"],
        ["GET http://other.example/3 HTTP/1.1", "1.1 GET other.example /3 a false"],
        ["GET http://third.example/3 HTTP/1.1", "1.1 GET third.example /3 a false"],
        ["DELETE /4 HTTP/1.1", "1.1 DELETE h.example /4 a false"],
        ["GET /5 HTTP/1.0", "1.0 GET h.example /5 a false"],
        ["GET /6 HTTP/1.0", "1.0 GET h.example /6 a false"],
        ["GET /7 HTTP/1.1", "1.1 GET h.example /7 a false"],
      ];
      for (const [line] of lines) client.send(`${line}\r\n${fields}`);
      const answers = await client.responses(lines.length);
      expect(answers.map(({ text }) => text)).toEqual(lines.map(([, answer]) => answer));
      // One at a time, and with fields of the same size that are others.
      client.send(`GET /8 HTTP/1.1\r\n${fields}`);
      expect((await client.response()).text).toBe("1.1 GET h.example /8 a false");
      client.send(`GET /9 HTTP/1.1\r\n${fields.replace("Note: a", "Note: b")}`);
      expect((await client.response()).text).toBe("1.1 GET h.example /9 b false");
      client.send(
        `POST /10 HTTP/1.1\r\n${fields.replace("X-Note: a", "Content-Length: 1")}xGET /11 HTTP/1.1\r\n${fields}`,
      );
      expect((await client.responses(2)).map(({ text }) => text)).toEqual([
        "1.1 POST h.example /10  true",
        "1.1 GET h.example /11 a false",
      ]);
    });

    test("fields without a host are refused in HTTP/1.1, though HTTP/1.0 had the same", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      const fields = "Connection: keep-alive\r\n\r\n";
      client.send(`GET /1 HTTP/1.0\r\n${fields}`);
      expect(await client.response()).toMatchObject({ status: 200, text: "/1" });
      client.send(`GET /2 HTTP/1.1\r\n${fields}`);
      expect(await client.response()).toMatchObject({ status: 400 });
    });

    test("a head that comes again may have other content", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      const answers: string[] = [];
      for (const content of ["one", "two", "six"]) {
        client.send(request("POST /", {}, content));
        answers.push((await client.response()).text);
      }
      expect(answers).toEqual(["one", "two", "six"]);
    });

    test("an answer of one piece is one write with a date, a type and a length", async () => {
      await using server = await serve(echoPath);
      const response = await server.ask("GET /");
      expect(response.fields.map(([name]) => name)).toEqual(["date", "content-type", "content-length"]);
      expect(Date.parse(response.headers["date"] ?? "")).toBeGreaterThan(0);
      expect(response.headers).toMatchObject({ "content-type": "text/plain; charset=utf-8", "content-length": "1" });
    });

    test("a date that the handlet brings takes the place of ours", async () => {
      await using server = await serve((_req, resp) => {
        resp.setHeader("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
        resp.send();
        return true;
      });
      const response = await server.ask("GET /");
      expect(response.fields.filter(([name]) => name === "date")).toEqual([["date", "Sun, 06 Nov 1994 08:49:37 GMT"]]);
    });

    test("content of unknown size comes in chunks, with trailers, and the connection is kept", async () => {
      await using server = await serve(async (_req, resp) => {
        resp.setTrailer("Digest", "abc");
        await resp.echo("hello");
        resp.sendHead();
        await resp.echo("wörld");
        await resp.echo(Buffer.from("!"));
        resp.end();
        return true;
      });
      await using client = await server.connect();
      for (let i = 0; i < 2; i++) {
        client.send(request("GET /"));
        expect(await client.response()).toMatchObject({
          text: "hellowörld!",
          framing: "chunked",
          trailers: { digest: "abc" },
        });
      }
    });

    test.each([
      ["HEAD", "whole", { framing: "none", text: "", headers: { "content-length": "5" } }],
      ["HEAD", "sized", { framing: "none", text: "", headers: { "content-length": "5" } }],
      ["GET", "sized", { framing: "sized", text: "hello", headers: { "content-length": "5" } }],
      ["GET", "streamed", { framing: "chunked", text: "hello" }],
      ["HEAD", "streamed", { framing: "none", text: "" }],
      ["GET", "204", { status: 204, framing: "none" }],
      ["GET", "304", { status: 304, framing: "none" }],
      ["HEAD", "304", { status: 304, framing: "none" }],
    ])("%s of %s content is framed so that the next answer is found", async (method, sort, expected) => {
      await using server = await serve(async (_req, resp) => {
        if (/^\d+$/.test(sort)) resp.status = Number(sort);
        if (sort === "sized") resp.contentSize = 5;
        if (sort === "sized" || sort === "streamed") {
          await resp.echo("hel");
          await resp.echo("lo");
          resp.end();
        } else resp.send("hello");
        return true;
      });
      await using client = await server.connect();
      client.send(request(`${method} /`) + request(`${method} /`));
      expect(await client.response(method)).toMatchObject(expected);
      expect(await client.response(method)).toMatchObject(expected);
    });

    test("OPTIONS * is answered for the server as a whole", async () => {
      await using server = await serve(echoPath);
      for (const line of ["OPTIONS *", "OPTIONS http://any.example"]) {
        expect(await server.ask(line)).toMatchObject({ status: 204, headers: { allow: expect.stringMatching(/GET/) } });
      }
    });

    test("a request for an upgrade that nobody takes is answered as if it had not asked", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      const upgrade = { connection: "upgrade", upgrade: "websocket" };
      client.send(request("GET /a", upgrade) + request("GET /b", upgrade));
      expect(await client.responses(2)).toMatchObject([{ text: "/a" }, { text: "/b" }]);
    });

    test("nothing behind a CONNECT is read as a request", async () => {
      await using server = await serve(() => false);
      await using client = await server.connect();
      client.send(request("CONNECT a.example:443") + request("GET /"));
      expect(await client.response()).toMatchObject({ status: 501, headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
    });
  });

  describe("keeping the connection", () => {
    test.each([
      ["1.1", {}, undefined],
      ["1.1", { connection: "close" }, "close"],
      ["1.1", { connection: "foo, Close" }, "close"],
      ["1.0", {}, "close"],
      ["1.0", { connection: "Keep-Alive" }, "keep-alive"],
      ["1.0", { connection: "keep-alive, close" }, "close"],
    ])("HTTP/%s with %j gets connection: %s", async (version, fields, connection) => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      const bytes = request("GET /", fields).replace("HTTP/1.1", `HTTP/${version}`);
      client.send(bytes + bytes);
      const response = await client.response();
      expect(response.headers["connection"]).toBe(connection);
      if (connection === "close") expect(await client.ending()).toBe("end");
      else expect(await client.response()).toMatchObject({ status: 200 });
    });

    test("content of unknown size ends an HTTP/1.0 connection", async () => {
      await using server = await serve(async (_req, resp) => {
        await resp.echo("hello, ");
        await resp.echo("world");
        resp.end();
        return true;
      });
      expect(await server.ask("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")).toMatchObject({
        framing: "until close",
        text: "hello, world",
        headers: { connection: "close" },
      });
    });

    test("an HTTP/1.0 answer that breaks off ends in a reset, or it would look complete", async () => {
      await using server = await serve(async (_req, resp) => {
        await resp.echo("hello");
        await new Promise((resolve) => setImmediate(resolve));
        resp.abort();
        return true;
      });
      await using client = await server.connect();
      client.send("GET / HTTP/1.0\r\n\r\n");
      await expect(client.response()).rejects.toThrow("ECONNRESET");
    });

    test("the last of maxRequestsPerConn says so, and the rest is not read", async () => {
      await using server = await serve({ handlets: [echoPath], settings: { maxRequestsPerConn: 2 } });
      await using client = await server.connect();
      client.send(request("GET /1") + request("GET /2") + request("GET /3"));
      const [first, second] = await client.responses(2);
      expect(first?.headers["connection"]).toBeUndefined();
      expect(second).toMatchObject({ text: "/2", headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
    });

    test("a client that shuts its side gets all the answers that it asked for", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      client.send(request("GET /later1") + request("GET /2") + request("GET /later3")).end();
      const responses = await client.responses(3);
      expect(responses.map(({ text }) => text)).toEqual(["/later1", "/2", "/later3"]);
      expect(await client.ending()).toBe("end");
    });

    test("a client that shuts its side within a content hears that it is broken", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      client.send(request("POST /", { "content-length": "10" }) + "hello").end();
      expect(await client.response()).toMatchObject({ status: 400, headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
    });

    test("a client that shuts its side within a head is let go", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      client.send("GET / HTTP/1.1\r\n").end();
      expect(await client.ending()).toBe("end");
      expect(server.log.join("")).toContain("it left in the middle of a head");
    });

    test("a little unread content is thrown away", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      const content = "x".repeat(50_000);
      client.send(request("POST /1", {}, content) + request("GET /2"));
      expect(await client.responses(2)).toMatchObject([{ text: "/1" }, { text: "/2" }]);
      const head = request("POST /3", { "content-length": "50000" });
      client.send(head + content.slice(0, 20_000));
      expect(await client.response()).toMatchObject({ text: "/3" });
      client.send(content.slice(20_000) + request("GET /4"));
      expect(await client.response()).toMatchObject({ text: "/4" });
    });

    test("much unread content ends the connection, but not before the answer has arrived", async () => {
      await using server = await serve({ handlets: [echoPath], maxContentSize: 1024 ** 3 });
      await using client = await server.connect();
      // More than socket buffers hold: a server that closed without reading on would reset, and the answer would be
      // lost.
      const size = 20 * 1024 * 1024;
      client.send(request("POST /", { "content-length": String(size) }));
      const piece = Buffer.alloc(1024 * 1024);
      for (let sent = 0; sent < size; sent += piece.length) {
        await new Promise((resolve) => client.socket.write(piece, resolve));
      }
      expect(await client.response()).toMatchObject({ status: 200, text: "/", headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
    });
  });

  describe("expect: 100-continue", () => {
    const expecting = request("POST /", { expect: "100-continue", "content-length": "5" });

    test("100 is sent when the content is asked for", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      client.send(expecting);
      expect(await client.head()).toMatchObject({ status: 100, fields: [] });
      client.send("hello" + request("GET /"));
      expect(await client.responses(2)).toMatchObject([{ status: 200, text: "hello" }, { text: "" }]);
    });

    test("100 is not sent when the content is there already", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      client.send(expecting + "hello" + request("GET /"));
      expect(await client.responses(2)).toMatchObject([{ text: "hello", interims: [] }, { text: "" }]);
    });

    test("an answer without reading comes without 100, and ends the connection", async () => {
      await using server = await serve(echoPath);
      await using client = await server.connect();
      client.send(expecting);
      expect(await client.response()).toMatchObject({ status: 200, interims: [], headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
    });

    test("HTTP/1.0 does not have it", async () => {
      await using server = await serve(echoContent);
      await using client = await server.connect();
      client.send(expecting.replace("HTTP/1.1", "HTTP/1.0"));
      await new Promise((resolve) => setImmediate(resolve));
      client.send("hello");
      expect(await client.response()).toMatchObject({ text: "hello", interims: [] });
    });
  });

  test("a peer's IPv4 address reads as one on a socket that listens for IPv6 too", async () => {
    await using server = await serve({
      handlets: [
        (req, resp) => {
          resp.send(req.peer.address);
          return true;
        },
      ],
      settings: { address: ":0" },
    });
    expect((await server.ask("GET /")).text).toBe("127.0.0.1");
  });
});
