// JSON by the paths of google.api.http: what a client of plain HTTP sees.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { libraryService } from "../../testing/rpc/library-service.ts";
import { serveRpc, type RpcSite } from "../../testing/rpc/rpc-site.ts";

interface Echoed {
  readonly procedure?: string;
  readonly json?: string;
  readonly code?: string;
  readonly message?: string;
}

let site: RpcSite;
beforeAll(async () => {
  const props = '.openAPI = "/openapi.json" .maxMessageSize = 1000';
  site = await serveRpc({ bundlets: [libraryService()], props, behind: '} rule { .returnText = "next"' });
});
afterAll(() => site[Symbol.asyncDispose]());

async function ask(target: string, init: RequestInit = {}): Promise<[number, string, unknown]> {
  const response = await fetch(site.url + target, init);
  const { procedure, json, code, message } = (await response.json()) as Echoed;
  if (code !== undefined) return [response.status, code, message];
  return [response.status, procedure ?? "", json === undefined ? undefined : (JSON.parse(json) as unknown)];
}

const withJson = (method: string, content: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: typeof content === "string" ? content : JSON.stringify(content),
});

describe("a path", () => {
  test("gives its variables to the message, decoded", async () => {
    expect(await ask("/v1/shelves/a%20b/books/%C3%BC")).toEqual([200, "GetBook", { name: "shelves/a b/books/ü" }]);
  });

  test("keeps an encoded slash within a variable of several segments", async () => {
    expect(await ask("/v1/shelves/a%2Fb/books/c")).toEqual([200, "GetBook", { name: "shelves/a%2Fb/books/c" }]);
    expect(await ask("/v1/files/a/b%20c/d")).toEqual([200, "ReadFile", { path: "a/b c/d" }]);
    expect(await ask("/v1/files")).toEqual([200, "ReadFile", {}]);
  });

  test("of a literal goes before one of a wildcard", async () => {
    expect(await ask("/v1/files/featured?path=x")).toEqual([200, "ReadFeatured", { path: "x" }]);
    expect(await ask("/v1/files/featured/x")).toEqual([200, "ReadFile", { path: "featured/x" }]);
  });

  test("that stands for nothing is left to the next rule", async () => {
    for (const path of ["/v1/shelves/a", "/v1/shelves//books/a", "/v1/books:none", "/v1", "/v2/titles"]) {
      expect(await (await fetch(site.url + path)).text()).toBe("next");
    }
  });

  test("tells which methods it has", async () => {
    const response = await fetch(`${site.url}/v1/shelves/a/books/b`, { method: "DELETE" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, PATCH, OPTIONS"]);
    expect((await fetch(`${site.url}/v1/shelves/a/books/b`, { method: "HEAD" })).status).toBe(200);
    expect(await ask("/v1/anything", { method: "PROPFIND" })).toEqual([200, "ReadFeatured", {}]);
  });

  test("with octets that are not UTF-8 is refused", async () => {
    expect((await ask("/v1/shelves/%FF/books/b")).slice(0, 2)).toEqual([400, "invalid_argument"]);
  });
});

describe("a query", () => {
  test("gives the fields that the path does not have, those of inner messages too", async () => {
    const query =
      "filter.max_pages=12&filter.isNew=true&filter.genre=POETRY&filter.tags=a&filter.tags=b%20c" +
      "&filter.since=2025-01-02T03:04:05Z&filter.lent=false&filter.otherwise.genre=1";
    expect(await ask(`/v1/shelves/a/books/b?${query}`)).toEqual([
      200,
      "GetBook",
      {
        name: "shelves/a/books/b",
        filter: {
          ...{ maxPages: "12", isNew: true, genre: "POETRY", tags: ["a", "b c"] },
          ...{ since: "2025-01-02T03:04:05Z", lent: false, otherwise: { genre: "POETRY" } },
        },
      },
    ]);
  });

  test.each([
    ["unknown=1", "no field"],
    ["filter=1", "no value of a query"],
    ["filter.like=1", "no value of a query"],
    ["filter.is_new=1", "true or false"],
    ["filter.genre=PROSE", "no value PROSE"],
    ["filter.max_pages=many", ""],
    ["filter.max_pages=1&filter.max_pages=2", "several values"],
    ["name=shelves/x/books/y", "belongs into the path"],
    ["__proto__.x=1", "no field"],
    ["filter.constructor=1", "no field"],
  ])("that no message can be made of is refused: %s", async (query, why) => {
    const [status, code, message] = await ask(`/v1/shelves/a/books/b?${query}`);
    expect([status, code]).toEqual([400, "invalid_argument"]);
    expect(message).toContain(why);
  });
});

describe("content", () => {
  test("is the field that the annotation names, beside path and query", async () => {
    const created = await ask("/v1/shelves/a/books?book_id=7", withJson("POST", { name: "n", page_count: 3 }));
    expect(created).toEqual([
      200,
      "CreateBook",
      { parent: "shelves/a", book: { name: "n", pageCount: 3 }, bookId: "7" },
    ]);
  });

  test("cannot replace what the path says", async () => {
    const patched = await ask("/v1/shelves/a/books/b", withJson("PATCH", { name: "other", pageCount: 4 }));
    expect(patched).toEqual([200, "UpdateBook", { book: { name: "shelves/a/books/b", pageCount: 4 } }]);
    const put = await ask("/v1/book/9", withJson("PUT", { book: { page_count: 4, genre: 1 }, isForced: true }));
    expect(put).toEqual([200, "UpdateBook", { book: { pageCount: 9, genre: "POETRY" }, isForced: true }]);
  });

  test("is the whole message where the annotation says so", async () => {
    expect(await ask("/v1/books:search", withJson("POST", { name: "n" }))).toEqual([200, "Search", { name: "n" }]);
    expect(await ask("/v1/books:search", { method: "POST" })).toEqual([200, "Search", {}]);
  });

  test.each([
    ["POST", "/v1/books:search", "{"],
    ["POST", "/v1/books:search?name=x", "{}"],
    ["PUT", "/v1/book/1", "[]"],
    ["PUT", "/v1/book/1", '{"book":3}'],
    ["PUT", "/v1/book/x", "{}"],
    ["PATCH", "/v1/shelves/a/books/b", '"text"'],
    ["PATCH", "/v1/shelves/a/books/b?book.genre=1", "{}"],
    ["DELETE", "/v1/anything", "{}"],
  ])("that no message can be made of is refused: %s %s %s", async (method, target, content) => {
    expect((await ask(target, withJson(method, content))).slice(0, 2)).toEqual([400, "invalid_argument"]);
  });

  test("of another type, or beyond the limit, is refused", async () => {
    const response = await fetch(`${site.url}/v1/books:search`, { method: "POST", body: "name=n" });
    expect([response.status, response.headers.get("accept-post")]).toEqual([415, "application/json"]);
    const large = withJson("POST", { name: "n".repeat(2000) });
    expect((await ask("/v1/books:search", large)).slice(0, 2)).toEqual([429, "resource_exhausted"]);
  });
});

describe("an answer", () => {
  test("is the field that the annotation names, its default too", async () => {
    expect(await (await fetch(`${site.url}/v1/titles?count=2`)).json()).toEqual(["title 0", "title 1"]);
    expect(await (await fetch(`${site.url}/v1/titles`)).json()).toEqual([]);
  });

  test("of a server stream is an array, or events for those who ask for them", async () => {
    const items = ["message 0", "message 1"].map((procedure) => ({ procedure }));
    expect(await (await fetch(`${site.url}/v1/books:watch?count=2`)).json()).toEqual(items);
    expect(await (await fetch(`${site.url}/v1/books:watch`)).json()).toEqual([]);
    const events = await fetch(`${site.url}/v1/books:watch?count=1`, { headers: { accept: "text/event-stream" } });
    expect(await events.text()).toBe('data: {"procedure":"message 0"}\n\nevent: end\ndata: {}\n\n');
  });

  test("that fails after its first item breaks off", async () => {
    const response = await fetch(`${site.url}/v1/books:watch?count=-1`);
    await expect(response.text()).rejects.toThrow();
  });
});

test("OpenAPI has the paths of annotations, with their parameters", async () => {
  const document = (await (await fetch(`${site.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, { parameters: readonly { name: string }[] }>>>>;
    readonly components: { readonly schemas: object };
  };
  expect(Object.entries(document.paths).map(([path, item]) => `${Object.keys(item).join()} ${path}`)).toEqual([
    "get,patch /v1/shelves/{shelves}/books/{books}",
    "post /v1/shelves/{shelves}/books",
    "put /v1/book/{book.page_count}",
    "post /v1/books:search",
    "get /v1/files/{path}",
    "get /v1/files/featured",
    "get /v1/titles",
    "get /v1/books:watch",
  ]);
  const names = document.paths["/v1/shelves/{shelves}/books/{books}"]?.["get"]?.parameters.map(({ name }) => name);
  expect(names).toContain("filter.is_new");
  expect(names).not.toContain("filter.like");
  for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(document.components.schemas).toHaveProperty([name!]);
});
