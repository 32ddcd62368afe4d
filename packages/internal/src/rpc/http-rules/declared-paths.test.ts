// JSON by paths that are declared in TypeScript, beside the schemas.

import { bundlet, clientStreaming, serverStreaming, unary } from "@hemi/common/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { serveRpc, type RpcSite } from "../../testing/rpc/rpc-site.ts";
import { defineService } from "../kinds.ts";
import { implement } from "../served-bundlet.ts";
import { buildRoutes } from "./build-routes.ts";

const search = z.object({
  shelf: z.string(),
  page: z.number().default(1),
  tags: z.array(z.string()).optional(),
  isNew: z.boolean().optional(),
  weight: z.number().nullable().optional(),
  filter: z.object({ max: z.number() }).optional(),
});
const book = z.object({ shelf: z.string(), id: z.int(), title: z.string(), more: z.unknown().optional() });
const echo = z.object({ json: z.string(), titles: z.array(z.string()).default([]) });

const library = bundlet("test.Library", {
  find: unary({ input: search, output: echo, http: ["GET /shelves/{shelf}/books", "POST /search"] }),
  put: unary({ input: book, output: echo, http: "PUT /shelves/{shelf}/books/{id}" }),
  titles: unary({ input: search, output: echo, http: { path: "GET /titles/{shelf}", responseBody: "titles" } }),
  watch: serverStreaming({ input: search, output: echo, http: "GET /shelves/{shelf}:watch" }),
});

const told = (input: unknown) => ({ json: JSON.stringify(input), titles: ["a"] });

let site: RpcSite;
beforeAll(async () => {
  const served = implement(library, {
    find: told,
    put: told,
    titles: told,
    async *watch(input) {
      yield told(input);
    },
  });
  site = await serveRpc({ bundlets: [served], props: '.openAPI = "/openapi.json"' });
});
afterAll(() => site[Symbol.asyncDispose]());

async function ask(target: string, init?: RequestInit): Promise<[number, unknown]> {
  const response = await fetch(site.url + target, init);
  const answer = (await response.json()) as { readonly json?: string; readonly message?: string };
  return [response.status, answer.json === undefined ? answer.message : (JSON.parse(answer.json) as unknown)];
}

const withJson = (method: string, content: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(content),
});

describe("a path that is declared in TypeScript", () => {
  test("takes its variables and the query by the types of the schema, with its defaults", async () => {
    expect(await ask("/shelves/a%20b/books")).toEqual([200, { shelf: "a b", page: 1 }]);
    const query = "page=2.5&tags=x&tags=3&isNew=true&filter.max=1e3";
    expect(await ask(`/shelves/7/books?${query}`)).toEqual([
      200,
      { shelf: "7", page: 2.5, tags: ["x", "3"], isNew: true, filter: { max: 1000 } },
    ]);
  });

  test("takes content beside its variables, which content cannot replace", async () => {
    expect(await ask("/shelves/a/books/7", withJson("PUT", { title: "t", shelf: "other" }))).toEqual([
      200,
      { shelf: "a", id: 7, title: "t" },
    ]);
    expect(await ask("/search", withJson("POST", { shelf: "a", page: 3 }))).toEqual([200, { shelf: "a", page: 3 }]);
  });

  test.each([
    ["/shelves/a/books?unknown=1", "no field"],
    ["/shelves/a/books?page=many", "page"],
    ["/shelves/a/books?page=1&page=2", "several values"],
    ["/shelves/a/books?isNew=perhaps", "isNew"],
    ["/shelves/a/books?weight=1e999", "weight"],
    ["/shelves/a/books?filter=1", "no value of a query"],
    ["/shelves/a/books?filter.min=1", "no field"],
    ["/shelves/a/books?shelf=b", "belongs into the path"],
    ["/shelves/a/books?__proto__.x=1", "no field"],
  ])("refuses what the schema does not take: %s", async (target, why) => {
    const [status, message] = await ask(target);
    expect([status, message]).toEqual([400, expect.stringContaining(why)]);
  });

  test("refuses content that is nested more deeply than can be written again", async () => {
    const content = `{"title":"t","more":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    const init = { method: "PUT", headers: { "content-type": "application/json" }, body: content };
    expect(await ask("/shelves/a/books/7", init)).toEqual([400, "the content is nested too deeply"]);
    expect(site.log.filter((line) => line.includes("RangeError"))).toEqual([]);
  });

  test("answers with one field where it says so, and with a stream as an array", async () => {
    expect(await (await fetch(`${site.url}/titles/a`)).json()).toEqual(["a"]);
    expect(await (await fetch(`${site.url}/shelves/a:watch`)).json()).toEqual([told({ shelf: "a", page: 1 })]);
  });

  test("is called by its name, too", async () => {
    expect(await ask("/test.Library/find", withJson("POST", { shelf: "a" }))).toEqual([200, { shelf: "a", page: 1 }]);
  });

  test("is described by OpenAPI with the types of its parameters", async () => {
    const { paths } = (await (await fetch(`${site.url}/openapi.json`)).json()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, { parameters: readonly object[] }>>>>;
    };
    expect(Object.keys(paths)).toEqual([
      "/shelves/{shelf}/books",
      "/search",
      "/shelves/{shelf}/books/{id}",
      "/titles/{shelf}",
      "/shelves/{shelf}:watch",
    ]);
    const parameters = paths["/shelves/{shelf}/books"]?.["get"]?.parameters ?? [];
    expect(parameters).toContainEqual({ name: "filter.max", in: "query", schema: { type: "number" } });
    expect(parameters).toContainEqual({ name: "shelf", in: "path", required: true, schema: { type: "string" } });
  });
});

test("fields of a schema without a form in JSON Schema are texts, and the schema decides", async () => {
  const when = z.object({ day: z.string(), at: z.date().optional() });
  const dated = bundlet("test.Dated", { on: unary({ input: when, output: echo, http: "GET /on/{day}" }) });
  await using site = await serveRpc({ bundlets: [implement(dated, { on: told })] });
  expect(await (await fetch(`${site.url}/on/monday`)).json()).toMatchObject({ json: '{"day":"monday"}' });
  const refused = await fetch(`${site.url}/on/monday?at=noon&__proto__=1`);
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("__proto__")]);
});

test("a parameter cannot replace the object that a variable of the path is in", async () => {
  const when = z.object({ day: z.unknown(), at: z.date().optional() });
  const dated = bundlet("test.Dated", { on: unary({ input: when, output: echo, http: "GET /on/{day.name}" }) });
  await using site = await serveRpc({ bundlets: [implement(dated, { on: told })] });
  expect(await (await fetch(`${site.url}/on/monday?day.hour=3`)).json()).toMatchObject({
    json: '{"day":{"name":"monday","hour":"3"}}',
  });
  for (const query of ["day=friday", "day.name=friday", "day.name.first=f"]) {
    const refused = await fetch(`${site.url}/on/monday?${query}`);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("belongs into the path")]);
  }
});

test("paths that are none, or do not fit, are told when they are served", () => {
  const declare = (http: string) => unary({ input: book, output: echo, http });
  const wrong = bundlet("test.Wrong", {
    one: declare("GET /books/{unknown}"),
    two: clientStreaming({ input: book, output: echo, http: "POST /books" }),
    three: declare("GET /books/{"),
    four: declare("get /books"),
    five: declare("/books"),
  });
  const served = implement(wrong, { one: told, two: () => told(1), three: told, four: told, five: told });
  expect(buildRoutes([served]).problems).toEqual([
    expect.stringMatching(/test\.Wrong\/one: .* has no field unknown/),
    expect.stringMatching(/test\.Wrong\/two: the client of the procedure streams/),
    expect.stringMatching(/test\.Wrong\/three: .* is none/),
    expect.stringMatching(/test\.Wrong\/four: a path of HTTP is such as/),
    expect.stringMatching(/test\.Wrong\/five: a path of HTTP is such as/),
  ]);
});

test("two procedures with the same path are found by a check, without a start", async () => {
  const declared = { input: search, output: echo };
  const one = bundlet("test.One", { find: unary({ ...declared, http: "GET /books/{shelf}" }) });
  const two = bundlet("test.Two", { look: unary({ ...declared, http: "GET /books/{page}" }) });
  const bundlets = [implement(one, { find: told }), implement(two, { look: told })];
  const service = defineService({ sign: "testService", create: () => ({ bundlets }) });
  const serving = [
    'webapp "site" { .hostnames = ("*") rule { rpcHandlet { .services = ("test") } } }',
    'rpcServer "rpc" { .services = ("test") .address = "127.0.0.1:0" }',
  ];
  for (const text of serving) {
    const stage = await bootWith([pack("test", [service])]).bootText(`stage { testService "test" {} ${text} }`);
    await expect(stage.examine()).rejects.toThrow("GET /books/{page} calls /test.One/find already");
    await stage.quit(1000);
  }
});
