import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { exchange, open, until } from "./testing/client.ts";
import { left } from "./testing/hono-app.ts";
import { serve } from "./testing/serve.ts";

describe.each([
  ["real", ""],
  ["light", ".overrideGlobalObjects = true"],
])("with %s objects, Hono", (_sort, settings) => {
  const hono = `fetchHandlet { .module = "hono-app.ts" .passHeader = "x-pass" ${settings} }`;

  test("routes, with parameters, queries and the whole URL", async () => {
    await using site = await serve(hono);
    expect((await site.ask({ url: "/" })).text).toBe("hello from Hono");
    expect(JSON.parse((await site.ask({ url: "http://a.example/users/7?q=%C3%BC" })).text)).toEqual({
      id: "7",
      q: "ü",
      url: "http://a.example/users/7?q=%C3%BC",
    });
    expect(await site.ask({ url: "/nothing" })).toMatchObject({ status: 404, text: "404 Not Found" });
  });

  test("answers HEAD as GET, without content", async () => {
    await using site = await serve(hono);
    expect(await exchange(site.port, "HEAD / HTTP/1.1")).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s);
  });

  test("reads JSON and forms", async () => {
    await using site = await serve(hono);
    const headers = { "content-type": "application/json" };
    const answer = await site.ask({ method: "POST", url: "/json", headers, content: '{"a":1}' });
    expect(answer).toMatchObject({ status: 201, text: '{"got":{"a":1}}' });
    const form = new FormData();
    form.set("name", "Ada");
    form.set("file", new File(["12345"], "n.txt"));
    const request = new Request("http://a/form", { method: "POST", body: form });
    const sent = await site.ask({
      method: "POST",
      url: "/form",
      headers: { "content-type": request.headers.get("content-type")! },
      content: await request.text(),
    });
    expect(sent.text).toBe("Ada n.txt 5");
  });

  test("limits content with its own middleware, which makes a new Request of ours", async () => {
    await using site = await serve(hono);
    const send = (content: string) =>
      exchange(
        site.port,
        `POST /limited HTTP/1.1\ntransfer-encoding: chunked\n\n${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`,
      );
    expect(await send("short")).toMatch(/200 OK.*short$/s);
    expect(await send("much longer than ten")).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("gets 413 for what the rule's maxContentSize refuses while it reads", async () => {
    await using site = await serve(hono);
    const content = `${(2 << 20).toString(16)}\r\n"${"x".repeat((2 << 20) - 2)}"\r\n0\r\n\r\n`;
    expect(await exchange(site.port, `POST /json HTTP/1.1\ntransfer-encoding: chunked\n\n${content}`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
  });

  test("sets several cookies and reads them", async () => {
    await using site = await serve(hono);
    const answer = await site.ask({ url: "/cookies", headers: { cookie: "seen=again" } });
    expect(answer.headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; Path=/; HttpOnly"]);
    expect(answer.text).toBe("again");
  });

  test("streams", async () => {
    await using site = await serve(hono);
    expect((await site.ask({ url: "/stream" })).text).toBe("0,1,2,");
    const events = await site.ask({ url: "/sse" });
    expect(events.headers["content-type"]).toBe("text/event-stream");
    expect(events.text).toBe([0, 1, 2].map((id) => `event: tick\ndata: tick ${id}\nid: ${id}\n\n`).join(""));
  });

  test("hears of a client that leaves in the middle of server-sent events", async () => {
    await using site = await serve(hono);
    const socket = await open(site.port, "GET /sse-forever HTTP/1.1");
    left.length = 0;
    await until(socket, "data: first");
    expect(left).toEqual([]);
    socket.destroy();
    await once(socket, "close");
    await expect.poll(() => left).toEqual(["sse"]);
  });

  test("reaches the engine's request as c.env.hemi, and leaves to others what it wants to", async () => {
    await using site = await serve(hono);
    expect((await site.ask({ url: "/env" })).text).toBe("127.0.0.1");
    expect((await site.ask({ url: "/pass" })).text).toBe("next");
  });

  test("mounts an app without a framework, and passes requests on by its proxy helper", async () => {
    await using site = await serve(hono);
    const url = `http://127.0.0.1:${site.port}`;
    expect((await site.ask({ url: `${url}/mounted/x?y` })).text).toBe(`${url}/x?y`);
    const passed = await site.ask({ method: "POST", url: `${url}/passed/limited`, content: "to it" });
    expect(passed).toMatchObject({ status: 200, text: "to it" });
  });

  test("answers what it throws by itself", async () => {
    await using site = await serve(hono);
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(await site.ask({ url: "/broken" })).toMatchObject({ status: 500, text: "Internal Server Error" });
  });
});
