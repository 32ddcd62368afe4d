import { describe, expect, test } from "vitest";
import type { HandletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { SubrequestOptions } from "./subrequest.ts";
import { askOf } from "../../testing/ask.ts";
import { request } from "../../testing/raw-client.ts";
import { serve } from "../../testing/serve.ts";

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Answers `/` with what a subrequest for `target` gave; `answer` answers that. */
function asking(target: string, answer: HandletPart["handle"], options?: SubrequestOptions): HandletPart["handle"] {
  return async (req, resp) => {
    if (req.depth > 0) return answer(req, resp);
    try {
      const sub = await req.subrequest(target, options);
      resp.sendJSON({ status: sub.status, type: sub.headers.get("content-type"), text: await textOf(sub.content) });
    } catch (error) {
      resp.sendJSON({ error: String(error) });
    }
    return true;
  };
}

const answerOf = async (handle: HandletPart["handle"], url = "/dir/page", headers = {}): Promise<unknown> =>
  JSON.parse((await askOf(handle)({ url, headers })).text);

const seen =
  (tell: (req: Request) => unknown): HandletPart["handle"] =>
  (req, resp) => (resp.send(JSON.stringify(tell(req))), true);

describe("a subrequest for", () => {
  test.each([
    ["/menu?a=b", "/menu?a=b"],
    ["menu", "/dir/menu"],
    ["../menu", "/menu"],
    ["?x", "/dir/?x"],
    ["/a b#c", "/a%20b"],
  ])("%s asks the webapp for %s", async (target, uri) => {
    expect(
      await answerOf(
        asking(
          target,
          seen((req) => req.uri),
        ),
      ),
    ).toMatchObject({ status: 200, text: JSON.stringify(uri) });
  });

  test.each(["http://evil.example/", "//evil.example/", "mailto:a"])("%s is refused", async (target) => {
    expect(await answerOf(asking(target, () => true))).toMatchObject({
      error: expect.stringContaining("a path of the same webapp"),
    });
  });

  test("what is above the root gets the 400 of any request", async () => {
    expect(await answerOf(asking("/../x", () => true))).toMatchObject({ status: 400 });
  });
});

test("it is by GET, as the same client, without what the client said about its own content", async () => {
  const handle = asking(
    "/menu",
    seen((req) => [req.method, req.authority, req.srcHost, req.hasContent, [...req.headers]]),
  );
  const ask = askOf(handle);
  const headers = {
    host: "a.example:81",
    cookie: "a=b",
    range: "bytes=0-1",
    "if-none-match": '"a"',
    "accept-encoding": "gzip",
    "content-type": "text/plain",
  };
  const { text } = await ask({ method: "POST", url: "/", headers, content: "hello" });
  const sub: { text: string } = JSON.parse(text);
  expect(JSON.parse(sub.text)).toEqual([
    "GET",
    "a.example:81",
    "127.0.0.1",
    false,
    [
      ["host", "a.example:81"],
      ["cookie", "a=b"],
    ],
  ]);
});

test("what is streamed, sent as a file region or fails comes as it would to a client", async () => {
  const streams: HandletPart["handle"] = async (_req, resp) => {
    for (const piece of ["a", "b", "c"]) await resp.echo(piece);
    resp.end();
    return true;
  };
  expect(await answerOf(asking("/x", streams))).toMatchObject({ status: 200, text: "abc" });
  const fails: HandletPart["handle"] = () => {
    throw new Error("on purpose");
  };
  expect(await answerOf(asking("/x", fails))).toMatchObject({ status: 500, text: "500 Internal Server Error\n" });
  expect(await answerOf(asking("/x", () => false))).toMatchObject({ status: 404 });
});

test("an answer that breaks off is an error for who asked", async () => {
  const breaksOff: HandletPart["handle"] = async (_req, resp) => {
    await resp.echo("a");
    resp.abort();
    return true;
  };
  const error = expect.stringContaining("was broken off");
  expect(await answerOf(asking("/x", breaksOff))).toEqual({ error });
  expect(await answerOf(asking("/x", (_req, resp) => (resp.abort(), true)))).toEqual({ error });
});

test("more than the bound is not taken, and stops who answers", async () => {
  let ended: unknown;
  const endless: HandletPart["handle"] = async (_req, resp) => {
    resp.onEnd((_status, sent, reason) => (ended = [sent, reason]));
    for (;;) await resp.echo("a".repeat(1000));
  };
  expect(await answerOf(asking("/x", endless, { maxSize: 2500 }))).toEqual({
    error: expect.stringContaining("/x has more than 2500 bytes"),
  });
  expect(ended).toEqual([3000, "aborted"]);
});

test("there are bounds on their depth and on their number", async () => {
  const recurses: HandletPart["handle"] = async (req, resp) => {
    try {
      resp.send(`${req.depth} ${await textOf((await req.subrequest("/again", { maxDepth: 3 })).content)}`);
    } catch (error) {
      resp.send(String(error));
    }
    return true;
  };
  expect((await askOf(recurses)({ url: "/" })).text).toMatch(
    /^0 1 2 HemiError: .*would be a subrequest at the depth 4: 3 is allowed/,
  );

  let count = 0;
  const spreads: HandletPart["handle"] = async (req, resp) => {
    count++;
    for (let i = 0; i < 3; i++)
      await req.subrequest("/again", { maxCount: 20 }).then(
        ({ content }) => textOf(content),
        () => {},
      );
    resp.send("done");
    return true;
  };
  expect((await askOf(spreads)({ url: "/" })).text).toBe("done");
  expect(count).toBe(21);
});

test("who answers is held back while nobody reads", async () => {
  let sent = 0;
  const answer: HandletPart["handle"] = async (_req, resp) => {
    for (; sent < 100; sent++) await resp.echo("a".repeat(10_000));
    resp.end();
    return true;
  };
  const ask = askOf(async (req, resp) => {
    if (req.depth > 0) return answer(req, resp);
    const { content } = await req.subrequest("/x");
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    const ahead = sent;
    resp.send(`${ahead < 30} ${(await textOf(content)).length}`);
    return true;
  });
  expect((await ask({ url: "/" })).text).toBe("true 1000000");
});

test("it ends with the request that made it", async () => {
  const ended = Promise.withResolvers<unknown>();
  const asked = Promise.withResolvers<void>();
  await using server = await serve(async (req, resp) => {
    if (req.depth > 0) {
      req.onAbort(() => ended.resolve("aborted"));
      asked.resolve();
      return true;
    }
    void req.subrequest("/x").catch(() => {});
    await resp.echo("begun");
    return true;
  });
  await using client = await server.connect();
  client.send(request("GET /"));
  await asked.promise;
  client.reset();
  expect(await ended.promise).toBe("aborted");
});
