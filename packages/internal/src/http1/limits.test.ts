import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { request, type RawClient } from "../testing/raw-client.ts";
import { pauseOf } from "../testing/pause.ts";
import { describeTransports } from "../testing/serve.ts";

const readAll: HandletPart["handle"] = async (req, resp) => {
  resp.send((await req.content.text()).length.toString());
  return true;
};

/** Sends a byte now and then until it is interrupted by an answer or the end. */
async function dribble(client: RawClient, byte: string): Promise<void> {
  let isOver = false;
  client.socket.once("data", () => (isOver = true)).once("end", () => (isOver = true));
  while (!isOver) {
    client.send(byte);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describeTransports(({ serve }) => {
  describe("sizes", () => {
    test.each([
      ["a target", `GET /${"a".repeat(100)} HTTP/1.1\r\n`, 414],
      ["a head", `GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(2000)}`, 431],
      ["a number of fields", `GET / HTTP/1.1\r\nhost: a\r\n${"x: 1\r\n".repeat(10)}`, 431],
      ["a number of fields that ends", `GET / HTTP/1.1\r\nhost: a\r\n${"x: 1\r\n".repeat(10)}\r\n`, 431],
      ["a declared content", request("POST /", { "content-length": "100000" }), 413],
      [
        "a content in chunks",
        request("POST /", { "transfer-encoding": "chunked" }, `3e9\r\n${"x".repeat(1001)}\r\n`),
        413,
      ],
      ["trailers", request("POST /", { "transfer-encoding": "chunked" }, `0\r\nx: ${"x".repeat(1100)}`), 400],
    ])("%s beyond its limit is refused, and the connection closed", async (_name, bytes, status) => {
      const settings = { maxTargetSize: 100, maxHeadSize: 1024, maxFields: 10 };
      await using server = await serve({ handlets: [readAll], settings, maxContentSize: 1000 });
      await using client = await server.connect();
      client.send(bytes);
      expect(await client.response()).toMatchObject({ status, headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
      expect(await server.ask("GET /")).toMatchObject({ status: 200 });
    });

    test("a content of just the greatest size is taken", async () => {
      await using server = await serve({ handlets: [readAll], maxContentSize: 1000 });
      const content = "x".repeat(1000);
      expect(await server.ask(request("POST /", {}, content))).toMatchObject({ text: "1000" });
      const chunked = request("POST /", { "transfer-encoding": "chunked" }, `3e8\r\n${content}\r\n0\r\n\r\n`);
      expect(await server.ask(chunked)).toMatchObject({ text: "1000" });
    });
  });

  test("input that nobody asks for is read up to its limit, so that a client is seen to leave", async () => {
    const left = Promise.withResolvers<void>();
    const handle: HandletPart["handle"] = (req) => {
      req.signal.addEventListener("abort", () => left.resolve());
      return true;
    };
    await using server = await serve({ handlets: [handle], settings: { maxBufferedInput: 256 * 1024 } });
    await using client = await server.connect();
    client.send(request("GET /") + "x".repeat(128 * 1024)).end();
    await left.promise;
  });

  describe("slow clients", () => {
    test.each([
      ["nothing at all", "", "end"],
      ["one request and nothing more", request("GET /"), "end"],
      ["a request and an empty line", request("GET /") + "\r\n", "end"],
    ])("one that sends %s is let go without a word after the idle timeout", async (_name, bytes, ending) => {
      await using server = await serve({ handlets: [readAll], settings: { idleTimeout: 30, headTimeout: 20 } });
      await using client = await server.connect();
      client.send(bytes);
      if (bytes !== "") await client.response();
      expect(await client.ending()).toBe(ending);
    });

    test("a head must be complete in time, however often a byte of it comes", async () => {
      await using server = await serve({ handlets: [readAll], settings: { headTimeout: 50 } });
      await using client = await server.connect();
      await dribble(client.send("GET / HTTP/1.1\r\nx: "), "x");
      expect(await client.response()).toMatchObject({ status: 408, headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
      expect(server.log.join("")).toContain("its head was not complete after 50 ms");
    });

    test("a content must go on in time", async () => {
      await using server = await serve({ handlets: [readAll], settings: { contentTimeout: 30 } });
      await using client = await server.connect();
      client.send(request("POST /", { "content-length": "10" }) + "hello");
      expect(await client.response()).toMatchObject({ status: 408, headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
    });

    test("sizes of chunks are no progress of a content", async () => {
      await using server = await serve({ handlets: [readAll], settings: { contentTimeout: 50 } });
      await using client = await server.connect();
      await dribble(client.send(request("POST /", { "transfer-encoding": "chunked" }) + "1;"), "x");
      // The extension became too long, or the time was over.
      expect((await client.response()).status).toBeOneOf([400, 408]);
    });

    test.each([
      [5000, 408, "its content came at less than 100 bytes a second"],
      [12_000, 200, ""],
    ])("a content must come at a rate, once it was waited for for %i ms", async (contentRateGrace, status, line) => {
      let now = 1000;
      const settings = { minContentRate: 100, contentRateGrace };
      await using server = await serve({ handlets: [readAll], settings, monotonic: () => now });
      await using client = await server.connect();
      client.send(request("POST /", { "content-length": "2000" }) + "x".repeat(800));
      const sent = async (size: number, at: number): Promise<void> => {
        // The server has read on when it answers another connection that came later.
        await server.ask("GET /");
        now = at;
        client.send("x".repeat(size));
        await server.ask("GET /");
      };
      await sent(100, 8000);
      await sent(100, 10_000);
      await sent(100, 12_001);
      client.send("x".repeat(900));
      expect((await client.response()).status).toBe(status);
      expect(server.log.join("")).toContain(line);
    });

    test("a pause of the process is no fault of a client that sends content", async () => {
      const settings = { minContentRate: 100, contentRateGrace: 5000 };
      await using server = await serve({ handlets: [readAll], settings });
      await using client = await server.connect();
      client.send(request("POST /", { "content-length": "200" }) + "x".repeat(100));
      await server.ask("GET /");
      using _pause = pauseOf(60_000);
      client.send("x".repeat(50));
      await server.ask("GET /");
      client.send("x".repeat(50));
      expect((await client.response()).status).toBe(200);
    });

    test("what a handlet leaves unread must come in time too", async () => {
      const settings = { contentTimeout: 30 };
      await using server = await serve({ handlets: [(_req, resp) => (resp.send(), true)], settings });
      await using client = await server.connect();
      client.send(request("POST /", { "content-length": "10" }));
      expect(await client.response()).toMatchObject({ status: 200 });
      expect(await client.ending()).toBe("end");
    });
  });

  describe("slow handlets", () => {
    const never: HandletPart["handle"] = () => new Promise(() => undefined);

    test("one that never answers is answered for with 503, and hears of it", async () => {
      const aborted = Promise.withResolvers<void>();
      const waits: HandletPart["handle"] = (req) => {
        req.signal.addEventListener("abort", () => aborted.resolve());
        return true;
      };
      await using server = await serve({ handlets: [waits], settings: { handleTimeout: 30 } });
      await using client = await server.connect();
      client.send(request("GET /"));
      expect(await client.response()).toMatchObject({ status: 503, text: "", headers: { connection: "close" } });
      expect(await client.ending()).toBe("end");
      await aborted.promise;
      expect(server.log.join("")).toContain("its request was not answered within 30 ms");
    });

    test("a client that goes on sending does not give it more time", async () => {
      await using server = await serve({ handlets: [never], settings: { handleTimeout: 50 } });
      await using client = await server.connect();
      await dribble(client.send(request("GET /")), "x");
      expect(await client.response()).toMatchObject({ status: 503 });
    });

    test("an answer that it sends too late is dropped", async () => {
      const late = Promise.withResolvers<void>();
      const sent = Promise.withResolvers<void>();
      const handle: HandletPart["handle"] = async (_req, resp) => {
        await late.promise;
        resp.send("late");
        sent.resolve();
        return true;
      };
      await using server = await serve({ handlets: [handle], settings: { handleTimeout: 30 } });
      await using client = await server.connect();
      client.send(request("GET /"));
      expect(await client.response()).toMatchObject({ status: 503 });
      late.resolve();
      await sent.promise;
      expect(await client.ending()).toBe("end");
    });

    test("one that stops after its head is broken off", async () => {
      const handle: HandletPart["handle"] = async (_req, resp) => {
        await resp.echo("hello");
        return true;
      };
      await using server = await serve({ handlets: [handle], settings: { handleTimeout: 30 } });
      await using client = await server.connect();
      client.send(request("GET /"));
      expect(await client.through("hello\r\n")).toContain("chunked");
      expect(await client.ending()).toMatch(/^(?:end|reset)$/);
    });
  });

  describe("slow readers", () => {
    const block = Buffer.alloc(64 * 1024, "x");

    test("one that reads nothing of a whole answer is cut off", async () => {
      const whole = Buffer.alloc(64 * 1024 * 1024);
      const settings = { writeTimeout: 50 };
      await using server = await serve({ handlets: [(_req, resp) => (resp.send(whole), true)], settings });
      await using client = await server.connect();
      client.socket.pause();
      client.send(request("GET /"));
      await until(() => server.log.join("").includes("took nothing of its answer for 50 ms"));
      client.socket.resume();
      await expect(client.response()).rejects.toThrow(/broke|ended/);
    });

    test("one that reads now and then gets a large answer in full", async () => {
      const whole = Buffer.alloc(32 * 1024 * 1024, "y");
      const settings = { writeTimeout: 1000, idleTimeout: 1 };
      await using server = await serve({ handlets: [(_req, resp) => (resp.send(whole), true)], settings });
      await using client = await server.connect();
      client.socket.on("data", () => {
        client.socket.pause();
        setImmediate(() => client.socket.resume());
      });
      client.send(request("GET /"));
      const { content } = await client.response();
      expect(content.equals(whole)).toBe(true);
    });

    test("one that reads nothing stops a handlet that streams, until it reads on", async () => {
      let sent = 0;
      const blocked = Promise.withResolvers<void>();
      const size = 64 * 1024 * 1024;
      const handle: HandletPart["handle"] = async (_req, resp) => {
        resp.contentSize = size;
        while (sent < size) {
          const taken = resp.echo(block);
          sent += block.length;
          // Enough to be more than a socket takes for a moment.
          if (taken !== undefined && sent > 1024 * 1024) setTimeout(blocked.resolve, 50);
          await taken;
        }
        resp.end();
        return true;
      };
      await using server = await serve({ handlets: [handle] });
      await using client = await server.connect();
      client.socket.pause();
      client.send(request("GET /"));
      await blocked.promise;
      // What the sockets hold on both sides, and no more.
      expect(sent).toBeLessThan(size / 2);
      client.socket.resume();
      expect((await client.response()).content.length).toBe(size);
    });

    test("one that sends a content and reads nothing of its echo is held back", async () => {
      const handle: HandletPart["handle"] = async (req, resp) => {
        for await (const piece of req.content) await resp.echo(piece);
        resp.end();
        return true;
      };
      await using server = await serve({ handlets: [handle], maxContentSize: 2 ** 40 });
      await using client = await server.connect();
      client.socket.pause();
      const size = 100 * 1024 * 1024;
      client.send(request("POST /", { "content-length": String(size) }));
      let sent = 0;
      let stalled = Promise.withResolvers<void>();
      const sendAll = async (): Promise<void> => {
        for (; sent < size; sent += block.length) {
          const timer = setTimeout(() => stalled.resolve(), 200);
          await new Promise((resolve) => client.socket.write(block, resolve));
          clearTimeout(timer);
        }
        stalled.resolve();
      };
      const sending = sendAll();
      await stalled.promise;
      expect(sent).toBeLessThan(size / 2);
      stalled = Promise.withResolvers();
      client.socket.resume();
      const { content } = await client.response();
      expect(content.length).toBe(size);
      await sending;
    });

    test("one that pipelines and never reads is no longer served, and cut off", async () => {
      let served = 0;
      const handle: HandletPart["handle"] = (_req, resp) => {
        served++;
        resp.send(block);
        return true;
      };
      await using server = await serve({ handlets: [handle], settings: { writeTimeout: 100 } });
      await using client = await server.connect();
      client.socket.pause();
      const many = Buffer.from(request("GET /").repeat(1000));
      const over = Promise.withResolvers<void>();
      // Paused, it hears of no end, but of a write that fails.
      client.socket.on("error", () => over.resolve()).on("close", () => over.resolve());
      const sendForEver = (): void => void client.socket.write(many, (error) => error ?? sendForEver());
      sendForEver();
      await over.promise;
      expect(served).toBeLessThan(1000);
    });

    test.each(["GET", "HEAD"])("one that leaves ends a handlet that streams %s for ever", async (method) => {
      const ended = Promise.withResolvers<unknown>();
      const handle: HandletPart["handle"] = async (_req, resp) => {
        try {
          for (;;) await resp.echo(block);
        } catch (error) {
          ended.resolve(error);
          throw error;
        }
      };
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request(`${method} /`));
      await client.through("\r\n\r\n");
      client.reset();
      expect(await ended.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
      expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
    });

    test("one that leaves does no harm to a handlet that does not wait for it", async () => {
      const left = Promise.withResolvers<void>();
      const handle: HandletPart["handle"] = (req, resp) => {
        req.signal.addEventListener("abort", () => left.resolve());
        for (let i = 0; i < 200; i++) void resp.echo(block);
        return true;
      };
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request("GET /"));
      await client.through("\r\n\r\n");
      client.reset();
      await left.promise;
      await new Promise((resolve) => setImmediate(resolve));
    });
  });

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
