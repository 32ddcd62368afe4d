import { describe, expect, test } from "vitest";
import type { HandletPart } from "../kinds.ts";
import { askOf } from "../../testing/ask.ts";
import { serve } from "../../testing/serve.ts";

const describeRequest: HandletPart["handle"] = async (req, resp) => {
  resp.setHeader("x-a", "1");
  resp.addHeader("x-b", "1");
  resp.addHeader("x-b", "2");
  resp.sendJSON([req.method, req.scheme, req.authority, req.uri, req.header("x"), await req.content.text()]);
  return true;
};

describe("an injected request", () => {
  test.each([
    [{ url: "/a?b" }, ["GET", "http", "", "/a?b", null, ""]],
    [{ url: "a" }, ["GET", "http", "", "/a", null, ""]],
    [{ url: "/a/../b%20c" }, ["GET", "http", "", "/b%20c", null, ""]],
    [{ url: "/", headers: { Host: "a.example:1" } }, ["GET", "http", "a.example:1", "/", null, ""]],
    [{ url: "https://A.example/b" }, ["GET", "https", "a.example", "/b", null, ""]],
    [{ url: "https://a.example?b" }, ["GET", "https", "a.example", "/?b", null, ""]],
    [{ method: "POST", url: "/", headers: { X: ["1", "2"] }, content: "ä" }, ["POST", "http", "", "/", "1, 2", "ä"]],
    [{ url: "/", content: Buffer.from("x") }, ["GET", "http", "", "/", null, "x"]],
  ])("%j is what a handlet sees", async (request, seen) => {
    const response = await askOf(describeRequest)(request);
    expect(JSON.parse(response.text)).toEqual(seen);
    expect(response).toMatchObject({ status: 200, headers: { "x-a": "1", "x-b": ["1", "2"] } });
  });

  test("is waited for as long as it takes where its handlet lifts the limit", async () => {
    const ask = askOf(async (_req, resp) => {
      resp.limitHandling(Infinity);
      await new Promise((resolve) => setTimeout(resolve, 10));
      resp.send("late");
      return true;
    });
    expect(await ask({ url: "/" })).toMatchObject({ status: 200, text: "late" });
  });

  test("has no content in its answer where a client would get none", async () => {
    const ask = askOf((req, resp) => {
      if (req.path !== "/") resp.status = Number(req.path.slice(1));
      resp.send("hello");
      return true;
    });
    expect(await ask({ url: "/" })).toMatchObject({ text: "hello" });
    expect(await ask({ url: "/", method: "HEAD" })).toMatchObject({ text: "" });
    expect(await ask({ url: "/204" })).toMatchObject({ status: 204, text: "" });
    expect(await ask({ url: "/304" })).toMatchObject({ status: 304, text: "" });
  });

  test.each<[string, HandletPart["handle"]]>([
    [
      "breaks off",
      (_req, resp) => {
        resp.abort();
        return true;
      },
    ],
    [
      "sends less than it announced",
      (_req, resp) => {
        resp.contentSize = 2;
        void resp.echo("a");
        resp.end();
        return true;
      },
    ],
    [
      "sends more than it announced",
      (_req, resp) => {
        resp.contentSize = 2;
        void resp.echo("abc");
        return true;
      },
    ],
  ])("rejects when the handlet %s", async (_name, handle) => {
    await expect(askOf(handle)({ url: "/" })).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
  });
});

describe("a handlet that never answers an injected request", () => {
  const begin: HandletPart["handle"] = (req, resp) => {
    if (req.path === "/begun") void resp.echo("hello");
    return true;
  };

  test.each(["/", "/begun"])("is not waited for longer than handleTimeout (%s)", async (url) => {
    await using server = await serve({ handlets: [begin], settings: { handleTimeout: 20 } });
    await expect(server.stage.inject({ url })).rejects.toMatchObject({ code: "HEMI_TIMEOUT" });
  });

  test("is not waited for when the server shuts down", async () => {
    await using server = await serve(begin);
    const answer = server.stage.inject({ url: "/" });
    const failed = expect(answer).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
    await server.stage.quit(0);
    await failed;
  });
});
