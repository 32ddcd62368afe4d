import { describe, expect, test } from "vitest";
import { exchange, open, until } from "./testing/client.ts";
import { watchEscapes } from "./testing/escapes.ts";
import { events } from "./testing/fetch-app.ts";
import { serve } from "./testing/serve.ts";

describe.each([
  ["real", ""],
  ["light", ".overrideGlobalObjects = true"],
])("with %s objects", (_sort, settings) => {
  const app = `fetchHandlet { .module = "fetch-app.ts" ${settings} }`;

  describe("the request", () => {
    test("is a real Request with absolute URL, method and fields", async () => {
      await using site = await serve(app);
      const { text } = await site.ask({
        url: "http://Shop.example:81/what?a=%20b",
        headers: { cookie: "a=1", accept: ["x", "y"] },
      });
      expect(JSON.parse(text)).toEqual({
        is: true,
        url: "http://shop.example:81/what?a=%20b",
        method: "GET",
        body: null,
        headers: [
          ["accept", "x, y"],
          ["cookie", "a=1"],
        ],
      });
    });

    test.each(["GET", "HEAD"])("has no body for %s, though the client sent one", async (method) => {
      await using site = await serve(app);
      const answer = await exchange(site.port, `${method} /what HTTP/1.1\ncontent-length: 2\n\nhi`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
      if (method === "GET") expect(answer).toContain('"body":null');
    });

    test.each(["/echo", "/pipe"])("gives its content at %s", async (url) => {
      await using site = await serve(app, "");
      expect((await site.ask({ method: "POST", url, content: "hello" })).text).toBe("hello");
    });

    test("can be read into the app's own buffers, cloned, and made a Request of", async () => {
      await using site = await serve(app);
      expect((await site.ask({ method: "POST", url: "/byob", content: "abcdef" })).text).toBe("abcd|ef|");
      expect((await site.ask({ method: "POST", url: "/again", content: "c" })).text).toBe("c c 1 true");
    });

    test("gives its content piece by piece as it comes", async () => {
      await using site = await serve(app);
      const socket = await open(site.port, "POST /pipe HTTP/1.1\ntransfer-encoding: chunked\n\n2\r\nab\r\n");
      await until(socket, "ab");
      socket.write("2\r\ncd\r\n0\r\n\r\n");
      await until(socket, "cd");
    });

    test("with too much content fails with 413, which an app may catch", async () => {
      await using site = await serve(app);
      const chunk = `${(2 << 20).toString(16)}\r\n${"x".repeat(2 << 20)}\r\n0\r\n\r\n`;
      expect(await exchange(site.port, `POST /echo HTTP/1.1\ntransfer-encoding: chunked\n\n${chunk}`)).toMatch(
        /^HTTP\/1\.1 413 /,
      );
      expect(await exchange(site.port, `POST /failure HTTP/1.1\ntransfer-encoding: chunked\n\n${chunk}`)).toMatch(
        /^HTTP\/1\.1 418 .*told 413/s,
      );
    });

    test("with broken content fails with 400", async () => {
      await using site = await serve(app);
      expect(await exchange(site.port, "POST /echo HTTP/1.1\ntransfer-encoding: chunked\n\nzz\r\n")).toMatch(
        /^HTTP\/1\.1 400 /,
      );
    });

    test("of a client without a host is one to localhost", async () => {
      await using site = await serve(app);
      expect((await site.ask({ url: "/x" })).text).toBe("http://localhost/x");
    });

    test("to a host that makes no URL is answered with 400", async () => {
      await using site = await serve(app);
      expect((await site.ask({ url: "http://1.2.3.999/what" })).status).toBe(400);
      expect(site.sink.lines.join("")).not.toMatch(/ error /);
    });

    test("has its method in capitals, where the web has it so", async () => {
      await using site = await serve(app);
      const answer = await exchange(site.port, "get /what HTTP/1.1\ncontent-length: 2\n\nhi");
      expect(answer).toMatch(/200 OK.*"method":"GET","body":null/s);
      expect(await exchange(site.port, "patch /what HTTP/1.1")).toContain('"method":"patch"');
    });

    test("of a method that a Request cannot have is answered with 405", async () => {
      await using site = await serve(app);
      const answer = await site.ask({ method: "TRACE", url: "/what" });
      expect(answer.status).toBe(405);
      expect(answer.headers["allow"]).toBe("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    });

    test("aborts its signal when the client leaves", async () => {
      await using site = await serve(app);
      events.length = 0;
      const socket = await open(site.port, "GET /waits HTTP/1.1");
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      await expect.poll(() => events).toEqual(["aborted"]);
      expect(site.sink.lines.join("")).not.toMatch(/ error /);
    });
  });

  describe("the answer", () => {
    test("of text has its length and its type", async () => {
      await using site = await serve(app);
      const answer = await exchange(site.port, "GET /plain HTTP/1.1");
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toContain("content-length: 5\r\n");
      expect(answer).toContain("content-type: text/plain;charset=UTF-8\r\n");
      expect(answer).toMatch(/\r\n\r\nplain$/);
    });

    test("keeps repeated cookies apart, and joins other repeated fields", async () => {
      await using site = await serve(app);
      const { headers } = await site.ask({ url: "/cookies" });
      expect(headers["set-cookie"]).toEqual(["a=1", "b=2"]);
      expect(headers["vary"]).toBe("x, y");
    });

    test("may say its own length, which must be true", async () => {
      await using site = await serve(app);
      expect(await exchange(site.port, "GET /length HTTP/1.1")).toMatch(/content-length: 5\r\n.*12345$/s);
      await expect(site.ask({ url: "/long" })).rejects.toThrow("broken off");
      expect(site.sink.lines.join("")).toContain("more content was sent than the 4 bytes");
    });

    test("has the reason phrase that the app gave", async () => {
      await using site = await serve(app);
      expect(await exchange(site.port, "GET /reason HTTP/1.1")).toMatch(/^HTTP\/1\.1 404 Gone Fishing\r\n/);
    });

    test("with 426 names the protocols to ask for", async () => {
      await using site = await serve(app);
      const answer = await exchange(site.port, "GET /426 HTTP/1.1");
      expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n.*connection: upgrade\r\nupgrade: websocket\r\n/s);
    });

    test.each([
      ["/empty", "201 Created", "content-length: 0"],
      ["/none", "204 No Content", "204"],
    ])("without a body at %s", async (url, status, field) => {
      await using site = await serve(app);
      const answer = await exchange(site.port, `GET ${url} HTTP/1.1`);
      expect(answer).toContain(status);
      expect(answer).toContain(field);
      expect(answer).toMatch(/\r\n\r\n$/);
      if (status.startsWith("204")) expect(answer).not.toContain("content-length");
    });

    test.each([
      ["/plain", undefined],
      ["/length", "content-length: 5"],
      ["/late", undefined],
    ])("to HEAD at %s has no content, and the length that the app named", async (url, field) => {
      await using site = await serve(app);
      const answer = await exchange(site.port, `HEAD ${url} HTTP/1.1`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s);
      if (field === undefined) expect(answer).not.toContain("content-length");
      else expect(answer).toContain(field);
    });

    test("that comes in pieces is sent piece by piece", async () => {
      await using site = await serve(app);
      expect(await exchange(site.port, "GET /late HTTP/1.1")).toMatch(
        /transfer-encoding: chunked\r\n.*\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n$/s,
      );
      expect(await exchange(site.port, "GET /late-length HTTP/1.1")).toMatch(/content-length: 3\r\n.*\r\n\r\nabc$/s);
      expect((await site.ask({ url: "/strings" })).text).toBe("text");
    });

    test("whose body fails is broken off, with a line in the log", async () => {
      await using site = await serve(app);
      const answer = await exchange(site.port, "GET /fails-later HTTP/1.1").catch(String);
      expect(answer).not.toContain("0\r\n\r\n");
      await expect(site.ask({ url: "/fails-first" })).rejects.toThrow("broken off");
      expect((await site.ask({ url: "/fails-at-once" })).status).toBe(500);
      expect(site.sink.lines.join("")).toMatch(/fetchHandlet.*half a body/s);
      expect(site.sink.lines.join("")).toContain("no body");
    });

    test("whose first piece is no bytes, and whose body fails later, does not end the process", async () => {
      using escaped = watchEscapes();
      await using site = await serve(app);
      expect((await site.ask({ url: "/number-then-fails" })).status).toBe(500);
      await escaped.settle();
      expect(escaped.errors).toEqual([]);
      expect((await site.ask({ url: "/plain" })).text).toBe("plain");
      expect(site.sink.lines.join("")).toContain("holds bytes, not number");
    });

    test.each(["/cancel-throws", "/cancel-of-its-own-throws"])(
      "whose body throws when it is cancelled, at %s, does not end the process",
      async (url) => {
        using escaped = watchEscapes();
        await using site = await serve(app);
        events.length = 0;
        const socket = await open(site.port, `GET ${url} HTTP/1.1`);
        await until(socket, "\r\n\r\n");
        socket.destroy();
        await expect.poll(() => events).toContain("cancelled");
        await escaped.settle();
        expect(escaped.errors).toEqual([]);
        expect((await site.ask({ url: "/plain" })).text).toBe("plain");
      },
    );

    test.each(["Connection=close", "KEEP-ALIVE=timeout%3D5", "Transfer-Encoding=chunked", "Proxy-Connection=x"])(
      "of another realm leaves %s, which frames the message, to the engine",
      async (query) => {
        await using site = await serve(app);
        const answer = await site.ask({ url: `/framing?${query}&X-Kept=1` });
        expect(answer).toMatchObject({ status: 200, text: "12345", headers: { "x-kept": "1" } });
        expect(answer.headers).not.toHaveProperty(query.slice(0, query.indexOf("=")).toLowerCase());
      },
    );

    test("of another realm may say its length in any letter case", async () => {
      await using site = await serve(app);
      const answer = await exchange(site.port, "GET /framing?Content-Length=5 HTTP/1.1");
      expect(answer).toMatch(/content-length: 5\r\n.*12345$/s);
      expect(answer).not.toContain("chunked");
    });

    test("whose body holds no bytes is a fault of the app", async () => {
      await using site = await serve(app);
      expect((await site.ask({ url: "/numbers" })).status).toBe(500);
      expect(site.sink.lines.join("")).toContain("holds bytes, not number");
    });

    test("waits for a slow client, and is cancelled when it leaves", async () => {
      await using site = await serve(app);
      events.length = 0;
      const socket = await open(site.port, "GET /endless HTTP/1.1");
      await until(socket, "\r\n\r\n");
      socket.pause();
      const before = process.memoryUsage().rss;
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
      expect(events).toEqual([]);
      socket.destroy();
      await expect.poll(() => events).toEqual(["cancelled"]);
      expect(site.sink.lines.join("")).not.toMatch(/ error /);
    });

    test.each([
      ["/throws", "thrown at once"],
      ["/rejects", "rejected"],
      ["/undefined", "a value of type undefined, not a Response"],
      ["/null", "null, not a Response"],
    ])("of an app that fails at %s is 500, with a line in the log and nothing to the client", async (url, reason) => {
      await using site = await serve(app);
      const answer = await site.ask({ url });
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain(reason);
      expect(site.sink.lines.join("")).toContain(reason);
    });

    test("of an app that hangs is 503", async () => {
      await using site = await serve(app, ".handleTimeout = 20ms");
      expect(await exchange(site.port, "GET /hangs HTTP/1.1")).toMatch(/^HTTP\/1\.1 503 /);
    });
  });

  describe("what the app leaves to others", () => {
    const passing = `fetchHandlet { .module = "fetch-app.ts" .passHeader = "x-pass" ${settings} }`;

    test("passHeader takes the name of a field only", async () => {
      const serving = serve('fetchHandlet { .module = "fetch-app.ts" .passHeader = "x pass" }');
      await expect(serving).rejects.toThrow('.passHeader takes the name of a header field, not the string "x pass"');
    });

    test("is a 404 with the field of passHeader, where that is set", async () => {
      await using site = await serve(passing);
      expect((await site.ask({ url: "/pass" })).text).toBe("next");
      expect(await site.ask({ url: "/404" })).toMatchObject({ status: 404, text: "nothing" });
      await using other = await serve(app);
      expect(await other.ask({ url: "/pass" })).toMatchObject({ status: 404, text: "not mine" });
    });

    test("must have its content unread", async () => {
      await using site = await serve(passing);
      expect((await site.ask({ method: "POST", url: "/read-and-pass", content: "x" })).status).toBe(500);
      expect(site.sink.lines.join("")).toContain("returned false after it had read the content");
    });
  });
});

test.each([
  ["no-default.ts", "must export a function or an object with a method fetch as its default; it has no default export"],
  ["no-app.ts", "its default export is an object of fetch, other"],
  ["throws.ts", "cannot be loaded: a module that throws"],
  ["missing.ts", "missing.ts cannot be loaded"],
])("the stage does not start with the module %s", async (module, reason) => {
  await expect(serve(`fetchHandlet { .module = "${module}" }`)).rejects.toThrow(reason);
});
