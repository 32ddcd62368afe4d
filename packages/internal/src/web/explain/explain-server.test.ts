import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import type { Walk } from "./explanation.ts";
import { pack } from "../../component/pack.ts";
import { prop } from "../../component/prop.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { defineHandlet } from "../kinds.ts";
import { walkText } from "./walk-text.ts";

/** Rewrites what it is asked for, and says so. */
const moved = defineHandlet({
  sign: "moved",
  props: { from: prop.string({ required: true }), to: prop.string({ required: true }) },
  create: ({ props }) => {
    const rewrite = (req: { readonly path: string; rewrite(to: string, how: { startAnew: boolean }): void }) => {
      if (req.path === props.from) req.rewrite(props.to, { startAnew: true });
    };
    return {
      handle(req) {
        rewrite(req);
        return false;
      },
      explain(req) {
        rewrite(req);
        return { takes: "no", text: "moves it" };
      },
    };
  },
});
const { bootText } = bootWith([pack("test", [moved])]);

async function stageOf(text: string, { isDevelopment = false } = {}) {
  return await bootText(`stage { ${text} }`, {
    name: "site.conf",
    log: openErrorLog({ sink: new MemorySink() }),
    isDevelopment,
  });
}

test("where a request comes from is what trusted proxies say", async () => {
  await using stage = await stageOf(`
    webapp "w" { .hostnames = ("*") rule $srcHost == "203.0.113.9" { .returnText = "far" } rule { .returnText = "near" } }
    httpxServer "main" { .webapps = ("w") .address = "127.0.0.1:0" .trustForwarded = ("127.0.0.1") }`);
  const asked = { url: "/", headers: { "x-forwarded-for": "203.0.113.9" } };
  expect(await stage.explain(asked)).toMatchObject({ outcome: { text: 'answers "far"' } });
  expect(await stage.explain({ ...asked, srcHost: "127.0.0.2" })).toMatchObject({
    outcome: { text: 'answers "near"' },
  });
  await stage.start();
  expect((await stage.inject({ ...asked })).text).toBe("far");
});

test("how a request comes is what trusted proxies say", async () => {
  await using stage = await stageOf(`
    webapp "w" { .hostnames = ("*") rule $scheme == "https" { .returnText = "safe" } rule { .returnText = "open" } }
    httpxServer "main" { .webapps = ("w") .address = "127.0.0.1:0" .trustForwarded = ("127.0.0.1") }`);
  const asked = { url: "/", headers: { "x-forwarded-proto": "https" } };
  expect(await stage.explain(asked)).toMatchObject({ outcome: { text: 'answers "safe"' } });
  expect(await stage.explain({ ...asked, srcHost: "127.0.0.2" })).toMatchObject({
    outcome: { text: 'answers "open"' },
  });
  await stage.start();
  expect((await stage.inject(asked)).text).toBe("safe");
});

test("a server on a free port is explained with that port, once it listens", async () => {
  await using stage = await stageOf(`
    webapp "w" { .hostnames = ("*") rule { .returnText = "hello" } }
    httpxServer "main" { .webapps = ("w") .address = "127.0.0.1:0" }`);
  const first = ({ servers }: Walk) => servers[0];
  expect(first(await stage.explain({ url: "http://127.0.0.1:3080/" }))).toMatchObject({
    reason: "takes a free port, which may be this one",
  });
  await stage.start();
  const part: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const [address = ""] = part.listensOn ?? [];
  expect(first(await stage.explain({ url: `http://${address}/` }))).toMatchObject({
    listens: `http on ${address}`,
    isReached: true,
    reason: "listens there",
  });
  const other = (Number(address.split(":")[1]) % 60_000) + 1;
  expect(first(await stage.explain({ url: `http://127.0.0.1:${other}/` }))).toMatchObject({
    isReached: false,
    reason: `another port than ${other}`,
  });
});

const secure = `
    webapp "open" {
        .hostnames = ("shop.example")
        .tlsCert = "none.pem"
        rule $tlsServerName == "shop.example" && $tlsVersion == "TLSv1.3" { .returnText = "by its name" }
        rule { .returnText = "by another" }
    }
    webapp "staff" {
        .hostnames = ("staff.example")
        .tlsCert = "none.pem"
        .tlsClientCert = "required"
        .tlsClientCA = "none.pem"
        rule { .returnText = "staff" }
    }`;

test("a client of a TLS server asks for the host of its URL, and has the certificate that it needs", async () => {
  await using stage = await stageOf(`${secure}
    httpxServer "main" { .webapps = ("open", "staff") .address = ":8443" .tlsMode = true }`);
  const walk = (url: string, host?: string) => stage.explain({ url, headers: host === undefined ? {} : { host } });
  expect(await walk("https://shop.example:8443/")).toMatchObject({
    handshake: { serverName: "shop.example", clientCertificate: "none" },
    outcome: { type: "answered", text: 'answers "by its name"' },
  });
  expect(await walk("https://127.0.0.1:8443/", "shop.example")).toMatchObject({
    handshake: { serverName: "", clientCertificate: "none" },
    outcome: { text: 'answers "by another"' },
  });
  const staff = await walk("https://staff.example:8443/");
  expect(staff).toMatchObject({
    handshake: { clientCertificate: "required" },
    outcome: { type: "answered", text: 'answers "staff"' },
  });
  expect(walkText(staff)).toContain("client certificate  required   without a right one there is no connection");
  expect(await walk("https://shop.example:8443/", "staff.example")).toMatchObject({
    webapp: { name: "staff" },
    outcome: { type: "refused", status: 421 },
  });
});

test("names that a strict TLS server does not know get no connection", async () => {
  await using stage = await stageOf(`${secure}
    httpxServer "main" { .webapps = ("open", "staff") .address = ":8443" .tlsMode = true .tlsStrictServerName = true }`);
  const walk = await stage.explain({ url: "https://other.example:8443/" });
  expect(walk.handshake?.refusedFor).toBe("no webapp has the name other.example, and tlsStrictServerName is set");
  expect(walk.outcome).toEqual({ type: "unreached", text: "there is no connection" });
  expect(walk.host).toBeUndefined();
});

test("where several servers make the same of a request, it need not be said which is meant", async () => {
  await using stage = await stageOf(`
    webapp "w" { .hostnames = ("*") rule { .returnText = "w" } }
    webapp "v" { .hostnames = ("*") rule { .returnText = "v" } }
    httpxServer "v4" { .webapps = ("w") .address = "127.0.0.1:8471" }
    httpxServer "v6" { .webapps = ("w") .address = "[::1]:8471" }
    httpxServer "other" { .webapps = ("v") .address = "127.0.0.2:8471" }
    httpxServer "far" { .webapps = ("v") .address = "127.0.0.2:8472" }`);
  const told = (walk: Walk) => [walk.server, walk.servers.filter(({ isReached }) => isReached).length, walk.outcome];
  const same = await stage.explain({ url: "http://127.0.0.1:8471/" });
  expect(told(same)).toEqual([
    "httpxServer.v4",
    1,
    { type: "answered", by: "webapp.w/rule", status: 200, text: 'answers "w"' },
  ]);
  const all = await stage.explain({ url: "http://shop.example:8471/" });
  expect(told(all)).toMatchObject([undefined, 3, { type: "unclear" }]);
  expect(walkText(all)).toContain(
    "it may come to httpxServer.v4, httpxServer.v6, httpxServer.other, which differ in it",
  );
});

test("servers with the same webapps are one to a request", async () => {
  await using stage = await stageOf(`
    webapp "w" { .hostnames = ("*") rule { .returnText = "w" } }
    httpxServer "v4" { .webapps = ("w") .address = "127.0.0.1:8471" }
    httpxServer "v6" { .webapps = ("w") .address = "[::1]:8471" }`);
  const walk = await stage.explain({ url: "http://shop.example:8471/" });
  expect(walk).toMatchObject({ outcome: { type: "answered", text: 'answers "w"' } });
  expect(walk.server).toBeUndefined();
  expect(walkText(walk)).not.toContain("named");
});

test("rules that start anew are told from the first one on, with what the request has become", async () => {
  const config = `
    webapp "w" {
        .hostnames = ("*")
        rule "new" $path == "/new" { .returnText = "new" }
        rule "old" { moved { .from = "/old" .to = "/new?a=b" } }
        rule "circle" { moved { .from = "/circle" .to = "/circle" } }
        rule "miss" { moved { .from = "/miss" .to = "/nowhere" } }
        rule $path == "/never" { .returnText = "never" }
    }
    httpxServer "main" { .webapps = ("w") .address = "127.0.0.1:0" }`;
  await using stage = await stageOf(config, { isDevelopment: true });
  const walk = await stage.explain({ url: "/old" });
  expect(walk.outcome).toMatchObject({ type: "answered", by: "webapp.w/rule.new" });
  expect(walk.rules?.map(({ rule, matches, anewWith }) => [rule.name, matches, anewWith])).toEqual([
    ["new", "no", undefined],
    ["old", "yes", undefined],
    ["new", "yes", "/new?a=b"],
    ["old", "not reached", undefined],
    ["circle", "not reached", undefined],
    ["miss", "not reached", undefined],
    ["", "not reached", undefined],
  ]);
  expect(walkText(walk)).toMatch(/^ +anew, with +"\/new\?a=b"$/m);
  expect(walkText(await stage.explain({ url: "/circle" }))).toContain("they rewrite in a circle");
  await stage.start();
  expect((await stage.inject({ url: "/old" })).text).toBe("new");
  const page = (await stage.inject({ url: "/miss" })).text;
  expect(page).toContain('"/nowhere"');
  expect(page).toContain('$path = "/nowhere"');
});
