import { once } from "node:events";
import * as http2 from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { prop } from "../component/prop.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { certificateFolder, TestAuthority, type CertificateFolder } from "../testing/certificates.ts";
import { serveHttps, sessionOf } from "../testing/https-site.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineHandlet, defineReviser, type WebappPart } from "../web/kinds.ts";

let folder: CertificateFolder;
beforeAll(async () => (folder = await certificateFolder()));
afterAll(() => folder[Symbol.asyncDispose]());

async function certified(name: string): Promise<string> {
  const { tlsCert, tlsKey } = await folder.issue(name, { names: [name] });
  return `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`;
}

function webapp(name: string, props = "", rule = `.returnText = "${name}"`, host = name): string {
  return `webapp "${name}" { .hostnames = ("${host}.example") ${props} rule { ${rule} } }\n`;
}

function server(webapps: string, props = ""): string {
  return `httpxServer "main" { .webapps = (${webapps}) .address = "127.0.0.1:0" ${props} }\n`;
}

const secure = ".tlsMode = true";

/** Answers when it is told to. */
const waiting = new Map<string, (text: string) => void>();
const number = prop.integer({ default: 0 });
const waits = defineHandlet({
  sign: "waits",
  props: { number },
  create: ({ owner }) => ({
    async handle(req, resp) {
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.set(`${req.path} ${owner.webapp.hostnames.join()}`, resolve);
      resp.send(await promise);
      return true;
    },
  }),
});

/** Is hooked. */
const marks = defineReviser({
  sign: "marks",
  props: { number },
  create: () => ({ rank: 8, reviseResponse: () => undefined }),
});

/** A stage without TLS, whose webapps can wait. */
async function serving(text: string) {
  const sink = new MemorySink();
  const options = { log: openErrorLog({ level: "debug", sink }), use: [pack("test", [waits, marks])] };
  const stage = await bootWith([]).bootText(`stage { ${text} }`, options);
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(listensOn.replace(/^.*:/, ""));
  return {
    stage,
    port,
    connect: () => RawClient.connect({ host: "127.0.0.1", port }),
    reload: (text: string) => stage.reload({ text: `stage { ${text} }` }),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

async function answer(client: RawClient, host: string): Promise<string> {
  const { status, content } = await client.send(request("GET /", { host })).response();
  return `${status} ${content.toString()}`;
}

describe("the webapps of a server", () => {
  test("may be others after a reload: a kept connection sees them with its next request", async () => {
    await using site = await serving(webapp("a") + webapp("b") + server(`"a"`));
    await using client = await site.connect();
    expect(await answer(client, "a.example")).toBe("200 a");
    expect(await answer(client, "b.example")).toMatch(/^421 /);
    const { updated, created } = await site.reload(webapp("a") + webapp("b") + server(`"a", "b"`));
    expect({ updated, created }).toEqual({ updated: ["httpxServer.main"], created: [] });
    expect(await answer(client, "b.example")).toBe("200 b");
    await site.reload(webapp("b", "", '.returnText = "new"') + server(`"b"`));
    expect(await answer(client, "a.example")).toMatch(/^421 /);
    expect(await answer(client, "b.example")).toBe("200 new");
  });

  test("that a reload drops answer what they have begun before they are shut down", async () => {
    const text = (name: string) =>
      webapp(name, "", "waits {}", "a") + webapp("b", "", "waits {}") + server(`"${name}", "b"`);
    await using site = await serving(text("a"));
    await using old = await site.connect();
    await using kept = await site.connect();
    old.send(request("GET /old", { host: "a.example" }));
    kept.send(request("GET /kept", { host: "b.example" }));
    await expect.poll(() => [...waiting.keys()].sort()).toEqual(["/kept b.example", "/old a.example"]);
    const { departed, dropped } = await site.reload(text("other"));
    expect(dropped).toContain("webapp.a");
    let isDown = false;
    const down = departed.then(() => (isDown = true));
    await using later = await site.connect();
    later.send(request("GET /later", { host: "a.example" }));
    await expect.poll(() => waiting.has("/later a.example")).toBe(true);
    expect(isDown).toBe(false);
    waiting.get("/old a.example")?.("from the old one");
    expect((await old.response()).content.toString()).toBe("from the old one");
    await down;
    expect(site.stage.find("webapp.a")).toBeUndefined();
    waiting.get("/kept b.example")?.("undisturbed");
    expect((await kept.response()).content.toString()).toBe("undisturbed");
    waiting.get("/later a.example")?.("from the new one");
    expect((await later.response()).content.toString()).toBe("from the new one");
  });

  test.each([
    ["a handlet", (n: number) => `waits "one" { .number = ${n} }`, true],
    ["a handlet that may yet be asked", (n: number) => `waits "one" {} waits "two" { .number = ${n} }`, true],
    ["a reviser", (n: number) => `waits {} marks { .number = ${n} }`, true],
    ["a rule behind it", (n: number) => `waits {} } rule { .returnCode = 40${n}`, true],
    ["a handlet of another rule", (n: number) => `waits {} } rule { waits "two" { .number = ${n} }`, false],
  ])("a reload that drops %s waits for the exchan: %#", async (_name, rule, waits) => {
    const text = (n: number) => webapp("a", "", rule(n)) + server(`"a"`);
    await using site = await serving(text(1));
    await using client = await site.connect();
    client.send(request("GET /held", { host: "a.example" }));
    await expect.poll(() => waiting.has("/held a.example")).toBe(true);
    const { departed } = await site.reload(text(2));
    let isDown = false;
    const down = departed.then(() => (isDown = true));
    if (waits) {
      await using other = await site.connect();
      expect(await answer(other, "other.example")).toMatch(/^421 /);
      expect(isDown).toBe(false);
    } else await down;
    waiting.get("/held a.example")?.("done");
    waiting.delete("/held a.example");
    expect((await client.response()).content.toString()).toBe("done");
    await down;
  });

  test("that a reload drops send the page for what no rule took before they are shut down", async () => {
    const { promise: going, resolve: go } = Promise.withResolvers<void>();
    const text = (name: string) => webapp(name, '.file404 = "/no/such"', "", "a") + server(`"${name}"`);
    await using site = await serving(text("a"));
    await using client = await site.connect();
    const { part } = site.stage.component("webapp.a");
    const { notFound, shutdown } = part as Required<Pick<WebappPart, "notFound" | "shutdown">>;
    let isDown = false;
    Object.assign(part, {
      async notFound(...given: Parameters<typeof notFound>) {
        waiting.set("/lost", () => undefined);
        await going;
        await notFound.apply(part, given);
      },
      shutdown: () => ((isDown = true), shutdown.apply(part)),
    });
    client.send(request("GET /lost", { host: "a.example" }));
    await expect.poll(() => waiting.delete("/lost")).toBe(true);
    const { departed } = await site.reload(text("other"));
    await using other = await site.connect();
    expect(await answer(other, "other.example")).toMatch(/^421 /);
    expect(isDown).toBe(false);
    go();
    expect((await client.response()).status).toBe(404);
    await departed;
    expect(isDown).toBe(true);
  });

  test("break off, at the deadline, what has not ended then", async () => {
    const text = (name: string) => `.drainTimeout = 1ms ${webapp(name, "", "waits {}", "a")} ${server(`"${name}"`)}`;
    await using site = await serving(text("a"));
    await using client = await site.connect();
    client.send(request("GET /endless", { host: "a.example" }));
    await expect.poll(() => waiting.has("/endless a.example")).toBe(true);
    const { departed } = await site.reload(text("other"));
    await departed;
    expect(await client.ending()).not.toMatch(/^HTTP/);
  });
});

describe("a changed idleTimeout holds for what is idle already", () => {
  const text = (props: string) => webapp("a") + server('"a"', props);

  test("in HTTP/1", async () => {
    await using site = await serving(text(".idleTimeout = 1h"));
    await using client = await site.connect();
    client.send(request("GET /", { host: "a.example" }));
    await client.response();
    await site.reload(text(".idleTimeout = 1ms"));
    expect(await client.ending()).toBe("end");
  });

  test("in HTTP/2", async () => {
    await using site = await serving(text(".idleTimeout = 1h"));
    const client = http2.connect(`http://127.0.0.1:${site.port}`);
    const stream = client.request({ ":authority": "a.example" }).resume();
    await once(stream, "close");
    const closed = once(client, "close");
    await site.reload(text(".idleTimeout = 1ms"));
    await closed;
  });
});

describe("over TLS", () => {
  test("certificates named by a reload are shown from the next handshake on", async () => {
    const own = await certified("own.example");
    const [first, second] = [await certified("first.example"), await certified("second.example")];
    await using site = await serveHttps(webapp("a", first) + server(`"a"`, secure));
    const reload = (text: string) => site.stage.reload({ text: `stage { ${text} }` });
    const part = site.stage.find("httpxServer.main")?.part;
    await using kept = await site.connect({ servername: "a.example", checkServerIdentity: () => undefined });
    const shown = () => site.shownTo({ servername: "a.example" });
    const { updated } = await reload(webapp("a", second) + server(`"a"`, secure));
    expect(updated).toEqual(["webapp.a"]);
    expect(await shown()).toBe("DNS:second.example");
    await reload(webapp("a") + server(`"a"`, `${secure} ${own}`));
    expect(await shown()).toBe("DNS:own.example");
    await reload(webapp("a") + webapp("b", first) + server(`"a", "b"`, `${secure} ${second}`));
    expect(await shown()).toBe("DNS:second.example");
    expect(await site.shownTo({ servername: "b.example" })).toBe("DNS:first.example");
    expect(site.stage.find("httpxServer.main")?.part).toBe(part);
    expect(await answer(kept, "a.example")).toBe("200 a");
  });

  test.each(["of a webapp", "of a new webapp", "of the server"])(
    "a certificate %s that cannot be read refuses the reload, and the old one stays",
    async (whose) => {
      const good = await certified("good.example");
      await using site = await serveHttps(webapp("a", good) + server(`"a"`, `${secure} ${good}`));
      const bad = '.tlsCert = "/no/such"';
      const wanted = {
        "of a webapp": webapp("a", bad) + server(`"a"`, `${secure} ${good}`),
        "of a new webapp": webapp("a", good) + webapp("b", bad) + server(`"a", "b"`, `${secure} ${good}`),
        "of the server": webapp("a", good) + server(`"a"`, `${secure} ${bad}`),
      }[whose];
      const reload = site.stage.reload({ text: `stage { ${wanted ?? ""} }` });
      await expect(reload).rejects.toThrow("the certificate /no/such cannot be read: there is no such file");
      expect(await site.shownTo({ servername: "a.example" })).toBe("DNS:good.example");
      expect(await site.shownTo({ servername: "other.example" })).toBe("DNS:good.example");
    },
  );

  test("tightened terms for clients hold for the next request of a kept connection", async () => {
    const own = await certified("a.example");
    const ca = await folder.write("ca.pem", (await TestAuthority.create("Club")).cert);
    await using site = await serveHttps(webapp("a", own) + server(`"a"`, secure));
    await using kept = await site.connect({ servername: "a.example" });
    expect(await answer(kept, "a.example")).toBe("200 a");
    const terms = `.tlsClientCert = "optional" .tlsClientCA = "${ca}"`;
    await site.stage.reload({ text: `stage { ${webapp("a", `${own} ${terms}`)} ${server(`"a"`, secure)} }` });
    expect(await answer(kept, "a.example")).toMatch(/^421 /);
    expect(await site.ask("a.example")).toMatchObject({ status: 200 });
  });

  test("authorities that are others in the same file hold for the next request of a kept connection", async () => {
    const own = await certified("a.example");
    const ca = await folder.write("changing-ca.pem", (await TestAuthority.create("Old")).cert);
    const terms = `.tlsClientCert = "optional" .tlsClientCA = "${ca}"`;
    await using site = await serveHttps(
      webapp("a", `${own} ${terms}`) + server(`"a"`, `${secure} .tlsReloadInterval = 100ms`),
    );
    await using kept = await site.connect({ servername: "a.example" });
    expect(await answer(kept, "a.example")).toBe("200 a");
    await folder.write("changing-ca.pem", (await TestAuthority.create("New")).cert);
    await expect.poll(() => answer(kept, "a.example"), { timeout: 10_000 }).toMatch(/^421 /);
    expect(await site.ask("a.example")).toMatchObject({ status: 200 });
  });

  test("sessions go on with a server that a reload makes anew", async () => {
    const own = await certified("a.example");
    await using site = await serveHttps(webapp("a", own) + server(`"a"`, secure));
    const { session } = await sessionOf(site.port(), { servername: "a.example" });
    const moved = server(`"a"`, secure).replace("127.0.0.1:0", "[::1]:0");
    const { created } = await site.stage.reload({ text: `stage { ${webapp("a", own)} ${moved} }` });
    expect(created).toEqual(["httpxServer.main"]);
    const options = { servername: "a.example", host: "::1", session };
    expect((await sessionOf(site.port(), options)).isReused).toBe(true);
  });

  test("versions of HTTP that are switched off are offered no more", async () => {
    const own = await certified("a.example");
    await using site = await serveHttps(webapp("a", own, ".returnText = $tlsNextProto") + server(`"a"`, secure));
    const agreed = async () => {
      await using client = await site.connect({ servername: "a.example", ALPNProtocols: ["h2", "http/1.1"] });
      return "alpnProtocol" in client.socket ? client.socket.alpnProtocol : undefined;
    };
    expect(await agreed()).toBe("h2");
    const without = webapp("a", own, ".returnText = $tlsNextProto") + server(`"a"`, `${secure} .http2 = false`);
    const { updated } = await site.stage.reload({ text: `stage { ${without} }` });
    expect(updated).toEqual(["httpxServer.main"]);
    expect(await agreed()).toBe("http/1.1");
  });
});
