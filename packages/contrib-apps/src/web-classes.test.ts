import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { serve } from "./testing/serve.ts";

const kept = 'fetchHandlet { .module = "classes-app.ts" }';
const overriding = 'fetchHandlet { .module = "classes-app.ts" .overrideGlobalObjects = true }';

/** What the app tells, the same with real objects and with light ones. */
describe.each([
  ["real", kept],
  ["light", overriding],
])("with %s objects", (sort, app) => {
  test.each([
    ["/new", ["POST", "http://shop.example/request/new", "yes", null, "[1,2]"]],
    ["/new-elsewhere", ["POST", "http://other.example/y", "1", "[1,2]"]],
    ["/subclass", [true, true, "http://shop.example/request/subclass", "[1,2]"]],
    ["/its-class", [true, "[1,2]"]],
    ["/cloned", [true, "changed", "[1,2]", false, "[1,2]"]],
    ["/changed", [null, "1", true]],
    ["/used", [false, true, "TypeError", "TypeError"]],
    ["/members", ["cors", "same-origin", "default", "follow", "half", ""]],
    ["/kinds", [5, 5, [1, 2], { 0: 91, 1: 49, 2: 44, 3: 50, 4: 93 }]],
    ["/looks", ["Request { method: 'POST', url: 'http://shop.example/request/", "[object Request]", []]],
    ["/signal", [true, true, false]],
  ])("a request at %s is what the web's standards say", async (url, expected) => {
    await using site = await serve(app);
    const answer = await site.ask({
      method: "POST",
      url: `http://shop.example/request${url}`,
      headers: { x: "1" },
      content: "[1,2]",
    });
    expect(JSON.parse(answer.text)).toEqual(expected);
  });

  test("a request gives its form", async () => {
    await using site = await serve(app);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await site.ask({ method: "POST", url: "/request/form", headers, content: "a=1&b=%20" });
    expect(JSON.parse(answer.text)).toEqual([
      ["a", "1"],
      ["b", " "],
    ]);
  });

  test("a request is fetched as it is, with its content", async () => {
    await using origin = createServer((req, res) => {
      res.setHeader("x-seen", req.headers["x"] ?? "");
      req.pipe(res);
    }).listen(0, "127.0.0.1");
    await once(origin, "listening");
    const address = origin.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using site = await serve(app);
    const url = `http://127.0.0.1:${port}/request/fetch`;
    const answer = await site.ask({ method: "PUT", url, headers: { x: "1" }, content: "to and fro" });
    expect(answer).toMatchObject({ status: 200, text: "to and fro" });
    expect(answer.headers["x-seen"]).toBe("1");
  });

  test.each([
    ["/text", 200, "täxt", { "content-type": "text/plain;charset=UTF-8" }],
    ["/bytes", 200, "ab", { "content-type": undefined }],
    ["/blob", 200, "b", { "content-type": "text/x" }],
    ["/params", 200, "a=1+2", { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" }],
    ["/stream", 200, "stream", { "content-type": "text/x" }],
    ["/json", 200, '{"a":1}', { "content-type": "application/json" }],
    ["/json-init", 201, "[1]", { "content-type": "text/x", x: "1" }],
    ["/redirect", 307, "", { location: "http://other.example/%C3%A4", "content-type": undefined }],
    ["/none", 204, "", { x: "1", "content-type": undefined }],
    ["/fields", 202, "f", { x: "1", "set-cookie": ["a=1", "b=2"] }],
    ["/default-fields", 200, "f", { x: "text/plain;charset=UTF-8" }],
    ["/pairs", 200, "p", { x: "1, 2" }],
    ["/again", 203, "again", { x: "1", "content-type": "text/plain;charset=UTF-8" }],
    ["/copied", 200, "copied true", { x: "2" }],
    ["/copy", 200, "copy", { x: "its own" }],
    ["/own", 200, "own", { x: "true" }],
    ["/status-text", 299, "s", {}],
  ])("a response at %s is sent as it was made", async (url, status, text, headers) => {
    await using site = await serve(app);
    const answer = await site.ask({ url: `/response${url}` });
    expect(answer).toMatchObject({ status, text });
    for (const [name, value] of Object.entries(headers)) expect(answer.headers[name], name).toEqual(value);
  });

  test("a form is sent", async () => {
    await using site = await serve(app);
    const { text } = await site.ask({ url: "/response/form" });
    expect(text).toMatch(/^-+\S+\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n-+/i);
  });

  test.each([
    ["/told", [404, false, "", "default", "", false, false, null, [1]]],
    [
      "/looks",
      [true, true, "Response { status: 200, statusText: '', headers: Headers { '", [], "[object Response]", "Response"],
    ],
    [
      "/wrong",
      [
        "RangeError",
        "TypeError",
        "TypeError",
        "TypeError",
        "TypeError",
        "TypeError",
        "TypeError",
        "TypeError",
        "RangeError",
      ],
    ],
  ])("a response at %s is what the web's standards say", async (url, expected) => {
    await using site = await serve(app);
    expect(JSON.parse((await site.ask({ url: `/response${url}` })).text)).toEqual(expected);
  });

  test.each(["/error", "/read"])("a response at %s cannot be sent", async (url) => {
    await using site = await serve(app);
    expect((await site.ask({ url: `/response${url}` })).status).toBe(500);
    expect(site.sink.lines.join("")).toMatch(/ error .* failed at GET/);
  });

  test("the app's request is of the named sort", async () => {
    await using site = await serve(app.replace("classes-app", "sort-app"));
    expect((await site.ask({ url: "/" })).text).toBe(`${sort} request, ${sort} response`);
  });

  test.each([
    ["http://SHOP.example:80/a//b?c='d'", "http://shop.example/a//b?c=%27d%27"],
    ["http://shop.example:81/a/%2E%2e/b%20?x=../y", "http://shop.example:81/b%20?x=../y"],
    ["http://shop.example/|^{}", "http://shop.example/|%5E%7B%7D"],
    ["http://127.1/", "http://127.0.0.1/"],
    ["http://[::0:1]/", "http://[::1]/"],
  ])("%s is told as %s", async (url, told) => {
    await using site = await serve(app.replace("classes-app", "url-app"));
    expect((await site.ask({ url })).text).toBe(told);
    expect(new URL(told).href).toBe(told);
  });
});

test("globals are overridden while a stage that asked for it is there, and no longer", async () => {
  const before = globals();
  {
    await using _kept = await serve(kept);
    expect(globals()).toEqual(before);
    await using first = await serve(overriding);
    const during = globals();
    during.forEach((value, i) => expect(value).not.toBe(before[i]));
    {
      await using _second = await serve(overriding);
      expect(globals()).toEqual(during);
    }
    expect(globals()).toEqual(during);
    await first.stage.quit();
    expect(globals()).toEqual(before);
  }
  expect(globals()).toEqual(before);
});

test("globals are put back when the stage does not start", async () => {
  const before = globals();
  await expect(serve('fetchHandlet { .module = "throws.ts" .overrideGlobalObjects = true }')).rejects.toThrow();
  expect(globals()).toEqual(before);
});

function globals(): unknown[] {
  return [globalThis.Request, globalThis.Response, globalThis.fetch];
}
