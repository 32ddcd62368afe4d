// An rpcServer behind the rules of a webapp, which hold for calls by all protocols; and who calls, as they find out.

import { readFile } from "node:fs/promises";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { bundlet, makeClient, Metadata, RpcError, unary } from "@hemi/common/rpc";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { Span } from "../operator/span.ts";
import { spanSink, type SpanSink } from "../operator/span-sink.ts";
import { defineAddon } from "../stage/kinds/addon.ts";
import { certificateFolder, testAuthority } from "../testing/certificates.ts";
import { TestService } from "../testing/rpc/interop_pb.ts";
import { numbers, numbersService } from "../testing/rpc/numbers-service.ts";
import { serveRpcServer, type RpcServerSite, type RpcServerSiteOptions } from "../testing/rpc/rpc-server-site.ts";
import { testService } from "../testing/rpc/test-service.ts";
import { defineHandlet } from "../web/kinds.ts";
import { authenticatedUser } from "../web/request/authenticated-user.ts";
import type { Call } from "./call.ts";
import { hrpcTransport, type HrpcOptions, type HrpcTransport } from "./hrpc/hrpc-transport.ts";
import { localTransport } from "./local-transport.ts";
import { implement, type ServedBundlet } from "./served-bundlet.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

const who = bundlet("test.Who", {
  ask: unary({ input: z.object({}), output: z.object({ user: z.string(), more: z.string() }) }),
  pass: unary({ input: z.object({}), output: z.object({ user: z.string(), more: z.string() }) }),
});

/** `more` is what `tell` says of the call; `pass` asks `ask` inside the process. */
function whoService(tell: (call: Call) => string | Promise<string>): ServedBundlet {
  const log = openErrorLog({ sink: new MemorySink() });
  const self = localTransport(() => ({ bundlets: [service] }), { log });
  const service = implement(who, {
    ask: async (_input, call) => ({ user: call.identity.user ?? "", more: await tell(call) }),
    pass: (input, call) => makeClient(who, self).ask(input, { parent: call }),
  });
  return service;
}

/** Lets those in who say `Bearer NAME`; `/slow` takes until they leave. */
const checking = defineHandlet({
  sign: "checking",
  create: () => ({
    async handle(req, resp) {
      const [scheme, user] = (req.header("authorization") ?? "").split(" ");
      if (user === "hangs") await new Promise(() => undefined);
      if (user === "breaks") throw new Error("the secret of the checker");
      resp.setHeader("x-checked", "yes");
      if (scheme === "Bearer" && user !== undefined) {
        req.locals.set(authenticatedUser, user);
        return false;
      }
      resp.status = 401;
      resp.setHeader("www-authenticate", "Bearer");
      resp.send("a page");
      return true;
    },
  }),
});

/** Says in a field who calls, and drops what the client says there. */
const naming = defineHandlet({
  sign: "naming",
  create: () => ({
    handle(req) {
      req.replaceHeader("x-user", req.header("authorization") === "Bearer ann" ? ["ann"] : []);
      return false;
    },
  }),
});

const spans: Span[] = [];
const gathering = defineAddon({
  sign: "gathering",
  offers: [spanSink],
  create: (): SpanSink => ({ takeSpan: (span) => void spans.push(span) }),
});

interface GuardedOptions extends RpcServerSiteOptions {
  /** Of the webapp. */
  readonly rules?: string;
}

async function serve({ rules = "rule { checking {} }", props = "", more = "", ...options }: GuardedOptions = {}) {
  const site = await serveRpcServer({
    bundlets: [numbersService(), testService(), whoService((call) => call.peer?.address ?? "")],
    definitions: [checking, naming, gathering],
    ...options,
    props: `.webapp = "guard" ${props}`,
    more: `webapp "guard" { .hostnames = ("*") ${rules} } ${more}`,
  });
  open.push(site);
  return site;
}

function hrpc(site: RpcServerSite, options: HrpcOptions = {}, scheme = "hrpc"): HrpcTransport {
  const transport = hrpcTransport(
    `${scheme}://${scheme === "hrpc" ? site.address : `localhost:${site.port}`}`,
    options,
  );
  open.push(transport);
  return transport;
}

const as = (user: string, more: Record<string, string> = {}): { metadata: Metadata } => ({
  metadata: new Metadata({ authorization: `Bearer ${user}`, ...more }),
});

describe("the rules of its webapp", () => {
  test("hold for calls by hrpc, gRPC and Connect, and for what is no call", async () => {
    const site = await serve();
    const stock = makeClient(numbers, hrpc(site));
    expect(await stock.double({ n: 2 }, as("ann"))).toEqual({ n: 4 });
    await expect(stock.double({ n: 2 })).rejects.toMatchObject({ code: "unauthenticated" });
    for (const transport of [
      createGrpcTransport({ baseUrl: site.url }),
      createConnectTransport({ baseUrl: site.url, httpVersion: "1.1" }),
    ]) {
      const client = createClient(TestService, transport);
      await client.emptyCall({}, { headers: { authorization: "Bearer ann" } });
      await expect(client.emptyCall({})).rejects.toMatchObject({ code: 16 });
    }
    expect((await fetch(`${site.url}/index.html`)).status).toBe(401);
    expect((await fetch(`${site.url}/index.html`, { headers: { authorization: "Bearer ann" } })).status).toBe(404);
  });

  test("hold for streams and for what hrpc calls in vain", async () => {
    const site = await serve();
    const stock = makeClient(numbers, hrpc(site));
    const got: number[] = [];
    for await (const { n } of stock.count({ n: 3 }, as("ann"))) got.push(n);
    expect(got).toEqual([0, 1, 2]);
    expect(await stock.sum([{ n: 1 }, { n: 2 }], as("ann"))).toEqual({ n: 3 });
    await expect(stock.sum([{ n: 1 }])).rejects.toMatchObject({ code: "unauthenticated" });
    const other = makeClient(bundlet("test.Other", { find: numbers.procedures.double }), hrpc(site));
    await expect(other.find({})).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(other.find({}, as("ann"))).rejects.toMatchObject({ code: "unimplemented" });
  });

  test("see no path that a request could not have", async () => {
    const site = await serve({ rules: `rule { .returnCode = 403 }` });
    const ignore = (): void => {};
    const ways = { metadata: new Metadata(), timeout: Infinity, headersCame: ignore, trailersCame: ignore };
    const call = { ...ways, procedure: who.procedures.ask, inputs: [{}], signal: new AbortController().signal };
    const codeAt = async (path: string): Promise<unknown> => {
      try {
        for await (const message of hrpc(site).call({ ...call, path })) return message;
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(await codeAt("/test.Who/ask")).toMatchObject({ code: "permission_denied" });
    for (const path of ["/tést", "/a b", "/a\r\nb: c", "a", ""]) {
      expect(await codeAt(path)).toMatchObject({ code: "unimplemented", message: "the path is malformed" });
    }
    for (const path of ["/test.Who/../test.Who/ask", "//test.Who/ask", "/test.Who/ask?x"]) {
      expect(await codeAt(path)).toMatchObject({ code: "permission_denied" });
    }
  });

  test("give their fields to a client of hrpc as metadata, with an answer and with a refusal", async () => {
    const site = await serve();
    const stock = makeClient(numbers, hrpc(site));
    let headers = new Metadata();
    await stock.double({ n: 2 }, { ...as("ann", { "x-asked": "b" }), onHeaders: (got) => (headers = got) });
    expect([headers.get("x-checked"), headers.get("x-head")]).toEqual(["yes", "b"]);
    const refused = await stock.double({ n: 2 }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RpcError);
    const { message, metadata } = refused as RpcError;
    expect(message).toBe("the call was answered with the HTTP status 401");
    expect([metadata?.get("www-authenticate"), metadata?.get("content-length")]).toEqual(["Bearer", undefined]);
  });

  test("that break or hang fail the call, and nothing of theirs goes out", async () => {
    const site = await serve({ props: ".handleTimeout = 100ms" });
    const stock = makeClient(numbers, hrpc(site));
    const broken = await stock.double({ n: 2 }, as("breaks")).catch((error: unknown) => error);
    expect(broken).toMatchObject({ code: "unknown", message: "the call was answered with the HTTP status 500" });
    expect(site.log.join("\n")).toContain("the secret of the checker");
    await expect(stock.increment({ n: 2 }, as("hangs"))).rejects.toMatchObject({ code: "deadline_exceeded" });
    await expect(stock.increment({ n: 2 }, { ...as("hangs"), timeout: 20 })).rejects.toMatchObject({
      code: "deadline_exceeded",
    });
    await expect(stock.increment({ n: 2 }, { ...as("hangs"), signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      code: "canceled",
    });
    expect(await stock.double({ n: 2 }, as("ann"))).toEqual({ n: 4 });
  });

  test("may replace fields: the procedure gets these as metadata, and not what the client has said", async () => {
    const site = await serve({
      bundlets: [whoService((call) => call.metadata.getAll("x-user").join())],
      rules: "rule { naming {} }",
    });
    const client = makeClient(who, hrpc(site));
    expect(await client.ask({}, as("ann", { "x-user": "root" }))).toMatchObject({ more: "ann" });
    expect(await client.ask({}, as("bob", { "x-user": "root" }))).toMatchObject({ more: "" });
    expect(await client.ask({}, { metadata: new Metadata({ "x-user": "root" }) })).toMatchObject({ more: "" });
  });

  test("see address, path and scheme of a call", async () => {
    const site = await serve({
      rules: `
        rule $method == "POST" && $path == "/test.Numbers/double" && $srcHost == "127.0.0.1" { .returnCode = 403 }
        rule $path == "/test.Numbers/increment" { .returnCode = 200 .returnText = "a page" }`,
    });
    const stock = makeClient(numbers, hrpc(site));
    await expect(stock.double({})).rejects.toMatchObject({ code: "permission_denied" });
    await expect(stock.increment({ n: 1 })).rejects.toMatchObject({ code: "unimplemented" });
    expect(await stock.sum([])).toEqual({ n: 0 });
  });

  test("are those of a reload for the next call of a kept connection", async () => {
    const site = await serve({ rules: "" });
    const stock = makeClient(numbers, hrpc(site));
    await stock.double({});
    const text = site.textWith(`.webapp = "guard"`);
    await site.stage.reload({ text: text.replace('.hostnames = ("*")', '.hostnames = ("*") rule { checking {} }') });
    await expect(stock.double({})).rejects.toMatchObject({ code: "unauthenticated" });
    await site.stage.reload({ text: site.textWith("") });
    expect(await stock.double({})).toEqual({ n: 8 });
  });

  test("are explained, and behind them the call", async () => {
    const site = await serve({ rules: `rule $path == "/closed" { .returnCode = 403 } rule { checking {} }` });
    const explain = async (path: string) =>
      await site.stage.explain({
        method: "POST",
        url: `${site.url}${path}`,
        headers: { "content-type": "application/json" },
      });
    expect((await explain("/closed")).outcome).toMatchObject({ type: "answered", status: 403 });
    const { rules, outcome } = await explain("/test.Numbers/double");
    expect(rules?.map(({ rule, matches }) => `${rule.path} ${matches}`)).toEqual([
      "webapp.guard/rule.1 no",
      "webapp.guard/rule.2 yes",
    ]);
    expect(outcome).toMatchObject({ type: "open", otherwise: { type: "answered", by: "rpcServer.rpc" } });
  });

  test("need a webapp that takes any hostname", async () => {
    const wrong = serveRpcServer({ more: `webapp "guard" { .hostnames = ("a.example") }`, props: `.webapp = "guard"` });
    await expect(wrong).rejects.toThrow("rpcServer.rpc names it for all of its calls, whatever their host");
  });
});

describe("a call", () => {
  /** The answer of `ask` or `pass` by JSON over HTTP. */
  async function ask(site: RpcServerSite, name: string, headers: Record<string, string>): Promise<unknown> {
    const url = `${site.url}/test.Who/${name}`;
    const type = { "content-type": "application/json" };
    return await (await fetch(url, { method: "POST", headers: { ...type, ...headers }, body: "{}" })).json();
  }

  test("has the user that a checker has authenticated, by all doors, and hands it on inside the process", async () => {
    const site = await serve({ rules: `rule $method == "POST" { checking {} }` });
    const client = makeClient(who, hrpc(site));
    const ann = { user: "ann", more: "127.0.0.1" };
    expect(await client.ask({}, as("ann"))).toEqual(ann);
    expect(await client.pass({}, as("ann"))).toEqual({ user: "ann", more: "" });
    expect(await ask(site, "ask", { authorization: "Bearer ann" })).toEqual(ann);
    expect(await ask(site, "pass", { authorization: "Bearer ann" })).toEqual({ user: "ann", more: "" });
    await using plain = await serveRpcServer({ bundlets: [whoService(() => "")] });
    expect(await makeClient(who, hrpc(plain)).ask({}, as("ann"))).toEqual({ user: "", more: "" });
  });

  test("has the certificate of its client, if the webapp trusts its authority", async () => {
    await using folder = await certificateFolder();
    const files = await folder.issue("server", { names: ["localhost"] });
    const { cert: ca } = await testAuthority();
    const authority = await folder.write("ca.crt", ca);
    const tell = ({ identity }: Call): string => identity.certificate?.subject ?? "none";
    const serveTls = (demand: string): Promise<RpcServerSite> =>
      serve({
        bundlets: [whoService(tell)],
        rules: `.tlsClientCert = "${demand}" .tlsClientCA = "${authority}"`,
        props: `.tlsMode = true .tlsCert = "${files.tlsCert}" .tlsKey = "${files.tlsKey}"`,
      });
    const site = await serveTls("optional");
    const { cert, key } = await (await testAuthority()).issue({ subject: "CN=Ann" });
    const known = hrpc(site, { tls: { ca, cert, key } }, "hrpcs");
    expect(await makeClient(who, known).ask({})).toEqual({ user: "", more: "CN=Ann" });
    expect(await makeClient(who, hrpc(site, { tls: { ca } }, "hrpcs")).ask({})).toEqual({ user: "", more: "none" });
    const strict = await serveTls("required");
    expect(await makeClient(who, hrpc(strict, { tls: { ca, cert, key } }, "hrpcs")).ask({})).toMatchObject({
      more: "CN=Ann",
    });
    await expect(makeClient(who, hrpc(strict, { tls: { ca } }, "hrpcs")).ask({})).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("has the session of its client", async () => {
    await using folder = await certificateFolder();
    const count = async ({ identity: { session } }: Call): Promise<string> => {
      if (session === undefined) return "none";
      const seen = Number((await session.get("seen")) ?? 0) + 1;
      await session.set("seen", seen);
      return String(seen);
    };
    const site = await serve({
      bundlets: [whoService(count)],
      more: `localStater "s" { .onDown = "refuse" .file = "${folder.path}/s.sqlite" }`,
      rules: `.withStater = "s"`,
    });
    const client = makeClient(who, hrpc(site));
    let cookie = "";
    const onHeaders = (headers: Metadata): void => void (cookie = headers.get("set-cookie") ?? "");
    expect(await client.ask({}, { onHeaders })).toMatchObject({ more: "1" });
    const [pair = ""] = cookie.split(";");
    expect(await client.ask({}, { metadata: new Metadata({ cookie: pair }) })).toMatchObject({ more: "2" });
    expect(await ask(site, "ask", { cookie: pair })).toMatchObject({ more: "3" });
    expect(await client.ask({})).toMatchObject({ more: "1" });
  });

  test("is a span of the trace of its client, and hands the trace on", async () => {
    spans.length = 0;
    const tell = (call: Call): string => call.traceparent ?? "";
    const site = await serve({
      bundlets: [whoService(tell)],
      more: `gathering "collector" {}`,
      rules: `.traceTo = "collector" .trustTraceparent = ("127.0.0.0/8")`,
    });
    const client = makeClient(who, hrpc(site));
    const metadata = new Metadata({ traceparent, tracestate: "a=1" });
    const { more } = await client.pass({}, { metadata });
    const named = (name: string): Span | undefined => spans.find((span) => span.name === name);
    await expect.poll(() => spans.length).toBe(3);
    const [pass, inner, server] = [named("test.Who/pass"), named("test.Who/ask"), spans.at(-1)];
    expect(server).toMatchObject({ traceId, parentId: "b7ad6b7169203331", state: "a=1", kind: "server" });
    expect(pass).toMatchObject({
      traceId,
      parentId: server?.spanId,
      attributes: { "rpc.system": "hrpc", "rpc.service": "test.Who", "rpc.method": "pass", "rpc.grpc.status_code": 0 },
    });
    expect(inner).toMatchObject({ traceId, parentId: pass?.spanId, attributes: { "rpc.system": "hemi_local" } });
    expect(more).toBe(`00-${traceId}-${inner?.spanId}-01`);
    await ask(site, "pass", { traceparent });
    expect(spans.filter(({ name }) => name === "test.Who/pass").map((span) => span.traceId)).toEqual([
      traceId,
      traceId,
    ]);
  });

  test("without tracing hands the trace context on as it came, if it is one", async () => {
    await using site = await serveRpcServer({ bundlets: [whoService((call) => call.traceparent ?? "none")] });
    const client = makeClient(who, hrpc(site));
    expect(await client.pass({}, { metadata: new Metadata({ traceparent }) })).toMatchObject({ more: traceparent });
    for (const wrong of ["00-0-0-01", `${traceparent}-more`, "x".repeat(4000)]) {
      const metadata = new Metadata({ traceparent: wrong });
      expect(await client.pass({}, { metadata })).toMatchObject({ more: "none" });
    }
    const twice = new Metadata({ traceparent });
    twice.append("traceparent", traceparent);
    expect(await client.pass({}, { metadata: twice })).toMatchObject({ more: "none" });
  });
});

test("a call is a line of the access log, with its status", async () => {
  await using folder = await certificateFolder();
  const site = await serve({ rules: `.accessLog = ["file": "${folder.path}/access.log"] rule { checking {} }` });
  const stock = makeClient(numbers, hrpc(site));
  await stock.double({}, as("ann"));
  await stock.double({ n: -1 }, as("ann")).catch(() => undefined);
  await stock.double({}).catch(() => undefined);
  await site.stage.quit(1000);
  const lines = (await readFile(`${folder.path}/access.log`, "utf8")).trim().split("\n");
  const statuses = lines.map((line) => /"POST \/test\.Numbers\/double [^"]*" (\d+)/.exec(line)?.[1]);
  expect(statuses).toEqual(["200", "400", "401"]);
});
