import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";

const listed = `cors {
  .origins = ("https://shop.example", "*.friends.example")
  .methods = ("GET", "PUT")
  .headers = ("content-type", "x-token")
  .expose = ("etag", "x-count")
  .credentials = true
  .maxAge = 1h
}`;
const open = 'cors { .origins = ("*") .expose = ("*") .headers = ("*", "authorization") }';
const shop = { origin: "https://shop.example" };
const preflight = { "access-control-request-method": "PUT" };

describe("a simple request", () => {
  test.each(["https://shop.example", "https://a.friends.example"])("of %s may be read", async (origin) => {
    await using site = await serveSite(listed);
    const { text, headers } = await site.ask("GET /", { origin });
    expect(text).toBe("passed");
    expect(headers).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "etag, x-count",
      vary: "origin",
    });
  });

  test.each([undefined, "https://evil.example", "null", "https://friends.example", "http://shop.example"])(
    "of %s is answered, with `vary` but without leave to read",
    async (origin) => {
      await using site = await serveSite(listed);
      const { text, headers } = await site.ask("GET /", origin === undefined ? {} : { origin });
      expect(text).toBe("passed");
      expect(headers["vary"]).toBe("origin");
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    },
  );

  test.each([undefined, "https://evil.example", "null"])("of %s may be read if everybody may", async (origin) => {
    await using site = await serveSite(open);
    const { headers } = await site.ask("GET /", origin === undefined ? {} : { origin });
    expect(headers).toMatchObject({ "access-control-allow-origin": "*", "access-control-expose-headers": "*" });
    expect(headers["access-control-allow-credentials"]).toBeUndefined();
    expect(headers["vary"]).toBeUndefined();
  });

  test("of two origins is of none that is allowed", async () => {
    await using site = await serveSite(listed);
    const { headers } = await site.ask("GET /", { origin: ["https://shop.example", "https://evil.example"] });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test.each([
    ["/fail", 500],
    ["/teapot", 418],
    ["/missing", 404],
  ])("may read errors too: %s", async (path, status) => {
    await using site = await serveSite(listed);
    const answer = await site.ask(`GET ${path}`, shop);
    expect(answer).toMatchObject({
      status,
      headers: { "access-control-allow-origin": "https://shop.example", vary: "origin" },
    });
  });

  test("may read the refusals of other checkers", async () => {
    await using site = await serveSite(`${listed} hostnameChecker { .hostnames = ("other.example") }`);
    const answer = await site.ask("GET /", shop);
    expect(answer).toMatchObject({ status: 421, headers: { "access-control-allow-origin": "https://shop.example" } });
  });
});

describe("beside fields of other handlets", () => {
  test("`vary` is added to, once, and `access-control-` is replaced", async () => {
    await using site = await serveSite(listed);
    const { headers } = await site.ask("GET /vary", shop);
    expect(headers["vary"]).toEqual(["accept-encoding", "Accept-Language, Origin"]);
    expect(headers["access-control-allow-origin"]).toBe("https://shop.example");
    const other = await site.ask("GET /vary", { origin: "https://from-below.example" });
    expect(other.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("`vary: *` says it all", async () => {
    await using site = await serveSite(listed);
    expect((await site.ask("GET /star", shop)).headers["vary"]).toBe("*");
  });
});

test("files have the fields whichever way they are sent: whole, in part, head only, or not at all", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-cors-"));
  await writeFile(join(folder.path, "a.txt"), "0123456789");
  await using site = await serveSite(`rule { ${listed} static { .webRoot = "${folder.path}" } }`);
  const { headers } = await site.ask("GET /a.txt", shop);
  const etag = String(headers["etag"]);
  const answers = [
    await site.ask("GET /a.txt", shop),
    await site.ask("GET /a.txt", { ...shop, range: "bytes=1-2" }),
    await site.ask("HEAD /a.txt", shop),
    await site.ask("GET /a.txt", { ...shop, "if-none-match": etag }),
  ];
  expect(answers.map(({ status, text }) => [status, text])).toEqual([
    [200, "0123456789"],
    [206, "12"],
    [200, ""],
    [304, ""],
  ]);
  for (const { headers } of answers) {
    expect(headers).toMatchObject({ "access-control-allow-origin": "https://shop.example", vary: "origin" });
  }
});

describe("a preflight", () => {
  test("of an allowed origin is told what it may", async () => {
    await using site = await serveSite(listed);
    const answer = await site.ask("OPTIONS /anything", { ...shop, ...preflight });
    expect(answer).toEqual({
      status: 204,
      text: "",
      content: expect.anything(),
      headers: {
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "content-type, x-token",
        "access-control-max-age": "3600",
        "access-control-allow-origin": "https://shop.example",
        "access-control-allow-credentials": "true",
        vary: "origin",
      },
    });
  });

  test("of anybody is told so with `*`", async () => {
    await using site = await serveSite(open);
    const { status, headers } = await site.ask("OPTIONS /", { origin: "null", ...preflight });
    expect(status).toBe(204);
    expect(headers).toEqual({
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-allow-headers": "*, authorization",
      "access-control-max-age": "600",
      "access-control-allow-origin": "*",
    });
  });

  test("of another origin is refused, and says what the refusal depends on", async () => {
    await using site = await serveSite(listed);
    const { status, headers } = await site.ask("OPTIONS /", { origin: "https://evil.example", ...preflight });
    expect(status).toBe(403);
    expect(headers["vary"]).toBe("origin");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test.each([{ ...shop }, { ...preflight }, {}])("is not what has only %j", async (headers) => {
    await using site = await serveSite(listed);
    expect((await site.ask("OPTIONS /", headers)).text).toBe("passed");
  });

  test("is not a request of another method", async () => {
    await using site = await serveSite(listed);
    expect((await site.ask("GET /", { ...shop, ...preflight })).text).toBe("passed");
  });
});

test("it takes new origins while it runs", async () => {
  await using site = await serveSite(listed);
  site.change("webapp.site/rule.1/cors", { origins: ["https://new.example"] });
  const { headers } = await site.ask("GET /", { origin: "https://new.example" });
  expect(headers["access-control-allow-origin"]).toBe("https://new.example");
  expect((await site.ask("GET /", shop)).headers["access-control-allow-origin"]).toBeUndefined();
});

test("methods may be all of them, without credentials", async () => {
  await using site = await serveSite('cors { .origins = ("https://shop.example") .methods = ("*") }');
  const { headers } = await site.ask("OPTIONS /", { ...shop, ...preflight });
  expect(headers["access-control-allow-methods"]).toBe("*");
});

test.each([
  ["", /origins/],
  [".origins = ()", /origins/],
  ['.origins = ("https://Shop.example/")', /is no origin.*did you mean "https:\/\/shop\.example"\?/s],
  ['.origins = ("shop.example")', /is no origin.*write it like/s],
  ['.origins = ("*") .credentials = true', /\.origins cannot have "\*" together with \.credentials/],
  ['.origins = ("https://a.example") .methods = ("*") .credentials = true', /\.methods cannot have "\*"/],
  ['.origins = ("https://a.example") .headers = ("*") .credentials = true', /\.headers cannot have "\*"/],
  ['.origins = ("https://a.example") .expose = ("*") .credentials = true', /\.expose cannot have "\*"/],
  ['.origins = ("https://a.example") .methods = ("GET, PUT")', /takes a token/],
])("refuses the configuration { %s }", async (props, message) => {
  await expect(serveSite(`cors { ${props} }`)).rejects.toThrow(message);
});
