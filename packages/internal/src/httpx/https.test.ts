import { X509Certificate } from "node:crypto";
import { readFile, rename, symlink } from "node:fs/promises";
import * as http2 from "node:http2";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RawClient, request } from "../testing/raw-client.ts";
import { certificateFolder, TestAuthority, testAuthority, type CertificateFolder } from "../testing/certificates.ts";
import { Uncaught } from "../testing/uncaught.ts";
import { answerInPieces, answerTo, serveHttps, sessionOf } from "../testing/https-site.ts";

let folder: CertificateFolder;
beforeAll(async () => (folder = await certificateFolder()));
afterAll(() => folder[Symbol.asyncDispose]());

/** Props that name a certificate for these names, issued for it. */
async function certified(...names: string[]): Promise<string> {
  const { tlsCert, tlsKey } = await folder.issue(`c${counter++}`, { names });
  return `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`;
}
let counter = 0;

function webapp(name: string, hostnames: string, props: string, rule = `.returnText = "${name}"`): string {
  return `webapp "${name}" { .hostnames = (${hostnames}) ${props} rule { ${rule} } }\n`;
}

function server(webapps: string, props = ""): string {
  return `httpxServer "main" { .webapps = (${webapps}) .address = "127.0.0.1:0" .tlsMode = true ${props} }\n`;
}

describe("certificates", () => {
  test("the name that a client asks for picks the webapp's, as hostnames of requests do", async () => {
    await using site = await serveHttps(
      webapp("shop", `"shop.example", "*.shop.example"`, await certified("shop.example", "*.shop.example")) +
        webapp("blog", `"blog.*"`, await certified("blog.example")) +
        webapp("rest", `"*"`, await certified("rest.example")) +
        server(`"shop", "blog", "rest"`),
    );
    expect(await site.ask("shop.example")).toMatchObject({ status: 200, text: "shop" });
    expect(await site.ask("www.shop.example")).toMatchObject({ status: 200, text: "shop" });
    expect(await site.ask("blog.example")).toMatchObject({ status: 200, text: "blog" });
    expect(await site.ask("rest.example")).toMatchObject({ status: 200, text: "rest" });
    expect(await site.shownTo({ servername: "unknown.example" })).toBe("DNS:rest.example");
    expect(await site.shownTo({})).toBe("DNS:rest.example");
    expect(await site.shownTo({ servername: "SHOP.Example" })).toBe("DNS:shop.example, DNS:*.shop.example");
    // One name in the handshake, another in the request: fine where no client certificates are asked for.
    expect(await site.ask("blog.example", { servername: "shop.example" })).toMatchObject({ status: 200, text: "blog" });
  });

  test("are looked at without any effect on who serves with them", async () => {
    const { tlsCert, tlsKey } = await folder.issue("looked-at", { names: ["a.example"] });
    await using site = await serveHttps(
      webapp("a", `"*"`, `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`) + server(`"a"`, ".headTimeout = 50ms"),
    );
    await site.stage.examine();
    expect(await site.ask("a.example")).toMatchObject({ status: 200, text: "a" });
    await rename(tlsCert, `${tlsCert}.away`);
    await expect(site.stage.examine()).rejects.toThrow("webapp.a could not be used");
    // Its deadlines still run.
    await using slow = await site.connect({ servername: "a.example" });
    expect(await slow.send("GET /").response()).toMatchObject({ status: 408 });
  });

  test("that of the server stands in for webapps without one, and for unknown names", async () => {
    await using site = await serveHttps(
      webapp("a", `"a.example"`, "") +
        webapp("b", `"b.example"`, await certified("b.example")) +
        server(`"a", "b"`, await certified("a.example")),
    );
    expect(await site.ask("a.example")).toMatchObject({ status: 200, text: "a" });
    expect(await site.ask("b.example")).toMatchObject({ status: 200, text: "b" });
    expect(await site.shownTo({ servername: "c.example" })).toBe("DNS:a.example");
  });

  test("without a default webapp, unknown names are shown the first one, and asked for nobody", async () => {
    await using site = await serveHttps(webapp("a", `"a.example"`, await certified("a.example")) + server(`"a"`));
    expect(await site.shownTo({ servername: "c.example" })).toBe("DNS:a.example");
    expect(await site.ask("c.example", { servername: "a.example" })).toMatchObject({ status: 421 });
  });

  test.each([
    ["an unknown name", { servername: "c.example" }],
    ["no name", {}],
  ])("a strict server refuses %s", async (_name, options) => {
    await using site = await serveHttps(
      webapp("a", `"a.example"`, await certified("a.example")) + server(`"a"`, ".tlsStrictServerName = true"),
    );
    await expect(site.shownTo(options)).rejects.toMatchObject({ code: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME" });
    expect(await site.ask("a.example")).toMatchObject({ status: 200 });
  });

  test("of two, a client gets the one whose key it understands", async () => {
    const ec = await folder.issue("ec", { names: ["ec.example"] });
    const rsa = await folder.issue("rsa", { names: ["rsa.example"], key: "RSA" });
    await using site = await serveHttps(
      webapp("a", `"*"`, `.tlsCert = ("${ec.tlsCert}", "${rsa.tlsCert}") .tlsKey = ("${ec.tlsKey}", "${rsa.tlsKey}")`) +
        server(`"a"`),
    );
    const old = { maxVersion: "TLSv1.2" } as const;
    expect(await site.shownTo({ ...old, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).toBe("DNS:ec.example");
    expect(await site.shownTo({ ...old, ciphers: "ECDHE-RSA-AES128-GCM-SHA256" })).toBe("DNS:rsa.example");
  });
});

describe("the handshake", () => {
  test("agrees on http/1.1, or on nothing with a client that proposes nothing, and refuses who speaks neither", async () => {
    const variables = '.returnText = $scheme + " " + $tlsVersion + " " + $tlsServerName + " [" + $tlsNextProto + "]"';
    await using site = await serveHttps(
      webapp("a", `"a.example"`, await certified("a.example"), variables) + server(`"a"`),
    );
    const proposing = { ALPNProtocols: ["foo", "http/1.1"] };
    expect((await site.ask("a.example", proposing)).text).toBe("https TLSv1.3 a.example [http/1.1]");
    expect((await site.ask("a.example", { maxVersion: "TLSv1.2" })).text).toBe("https TLSv1.2 a.example []");
    await expect(site.ask("a.example", { ALPNProtocols: ["foo"] })).rejects.toMatchObject({
      code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    });
    expect(site.log.join("")).toMatch(
      /info httpxServer\.main no TLS connection with 127\.0\.0\.1: no application protocol/,
    );
  });

  test("agrees on h2 with a client that prefers it, unless HTTP/2 is off", async () => {
    const app = webapp("a", `"a.example"`, await certified("a.example"), '.returnText = $scheme + " " + $tlsNextProto');
    await using site = await serveHttps(app + server(`"a"`));
    const ca = (await testAuthority()).cert;
    const session = http2.connect(`https://127.0.0.1:${site.port()}`, { ca, servername: "a.example" });
    const stream = session.request({ ":authority": "a.example" });
    expect(await text(stream)).toBe("https h2");
    session.destroy();
    await using without = await serveHttps(app + server(`"a"`, ".http2 = false"));
    expect((await without.ask("a.example", { ALPNProtocols: ["h2", "http/1.1"] })).text).toBe("https http/1.1");
  });

  test("speaks no older version than it is told", async () => {
    await using site = await serveHttps(
      webapp("a", `"*"`, await certified("a.example")) + server(`"a"`, '.tlsMinVersion = "TLSv1.3"'),
    );
    await expect(site.shownTo({ maxVersion: "TLSv1.2" })).rejects.toMatchObject({
      code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    });
  });

  test("may come in any pieces", async () => {
    await using site = await serveHttps(
      webapp("a", `"a.example"`, await certified("a.example")) + server(`"a"`, ".tlsStrictServerName = true"),
    );
    for (let at = 1; at < 400; at += at < 16 ? 1 : 17) {
      expect(await answerInPieces(site.port(), at)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\na$/s);
    }
  });
});

describe("clients that speak something else", () => {
  test("plain HTTP is told to come by HTTPS", async () => {
    await using site = await serveHttps(webapp("a", `"*"`, await certified("a.example")) + server(`"a"`));
    const answer = await answerTo(site.port(), request("POST /", {}, "x".repeat(100_000)));
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\ndate: .*This port speaks HTTPS: the URL begins with https:\/\/\n$/s,
    );
    expect(site.log.join("")).toContain("no TLS connection with 127.0.0.1: it speaks plain HTTP");
  });

  test.each([
    ["\x00\x01\x02", "it speaks neither TLS nor HTTP"],
    ["\x16\x03\x01garbage in a record", "data length too long"],
    ["\x16", "its handshake was not complete in time"],
    ["", "it said nothing in time"],
  ])("%j gets no answer in words, and is told in the log", async (bytes, reason) => {
    await using site = await serveHttps(
      webapp("a", `"*"`, await certified("a.example")) + server(`"a"`, ".handshakeTimeout = 1ms"),
    );
    expect(await answerTo(site.port(), bytes)).not.toMatch(/HTTP/);
    expect(site.log.join("")).toMatch(
      new RegExp(`info httpxServer\\.main no TLS connection with 127\\.0\\.0\\.1: .*(?:${reason})`),
    );
  });

  test("TLS at a port that serves plain HTTP is told in the log", async () => {
    await using site = await serveHttps(
      webapp("a", `"*"`, "") + 'httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }',
    );
    await expect(site.shownTo({})).rejects.toThrow();
    expect(site.log.join("")).toMatch(/it speaks TLS, and this port plain HTTP/);
  });

  test("a flood of them is told in one line", async () => {
    await using site = await serveHttps(webapp("a", `"*"`, await certified("a.example")) + server(`"a"`));
    for (let i = 0; i < 50; i++) await answerTo(site.port(), "\x00");
    await site.stage.quit();
    const lines = site.log.filter((line) => line.includes("no TLS connection"));
    expect(lines).toEqual([
      expect.stringContaining("no TLS connection with 127.0.0.1"),
      expect.stringContaining("no TLS connection 49 times, the last with 127.0.0.1: it speaks neither TLS nor HTTP"),
    ]);
  });
});

describe("certificates of clients", () => {
  const facts = ["Verified", "Subject", "Issuer", "Failure", "AltNames"].map((name) => `$tlsClient${name}`);
  const rule = `.returnText = ${facts.join(' + "|" + ')}`;

  /** A webapp that asks for none, and one that has these terms. */
  async function siteWith(terms: string, authority: string) {
    return await serveHttps(
      webapp("open", `"open.example"`, await certified("open.example"), rule) +
        webapp(
          "club",
          `"club.example"`,
          `${await certified("club.example")} .tlsClientCA = "${authority}" .tlsClientCert = "${terms}"`,
          rule,
        ) +
        server(`"open", "club"`),
    );
  }

  async function member() {
    const authority = await TestAuthority.create("Club");
    const ca = await folder.write(`ca${counter++}.pem`, authority.cert);
    return { ca, ...(await authority.issue({ names: ["ann.club.example"], subject: "O=Club, CN=Ann\\, the first" })) };
  }

  test("are asked for by those webapps only that want them, and rules can look at them", async () => {
    const { ca, cert, key } = await member();
    await using site = await siteWith("optional", ca);
    expect((await site.ask("open.example", { cert, key })).text).toBe("||||");
    expect((await site.ask("club.example")).text).toBe("||||");
    expect((await site.ask("club.example", { cert, key })).text).toBe(
      "true|CN=Ann\\, the first,O=Club|CN=Club||DNS:ann.club.example",
    );
    const stranger = await (await testAuthority()).issue({ subject: "CN=Eve" });
    expect((await site.ask("club.example", stranger)).text).toMatch(/^false\|CN=Eve\|CN=Test Authority\|[A-Z_]+\|$/);
  });

  test("a certificate that says it is valid until a thirteenth month leaves the server alive and the access log whole", async () => {
    using uncaught = new Uncaught();
    const { ca } = await member();
    const notAfter = new Date("2060-12-02T03:04:05Z");
    const { cert, key } = await (await testAuthority()).issue({ subject: "CN=Eve", notAfter });
    const der = new X509Certificate(cert).raw;
    der.write("20601302030405Z", der.indexOf("20601202030405Z"), "latin1");
    const pem = `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
    const file = `${folder.path}/access.log`;
    const props =
      `${await certified("club.example")} .tlsClientCA = "${ca}" .tlsClientCert = "optional" ` +
      `.accessLog = ["file": "${file}", "format": $status + " until " + $tlsClientValidTo]`;
    {
      await using site = await serveHttps(
        webapp("club", `"club.example"`, props, '.returnText = $tlsClientValidTo + "."') + server(`"club"`),
      );
      expect(await site.ask("club.example", { cert: pem, key })).toMatchObject({ status: 200, text: "." });
      expect(await site.ask("club.example", { cert, key })).toMatchObject({ text: "2060-12-02T03:04:05.000Z." });
    }
    expect(await readFile(file, "utf8")).toBe("200 until -\n200 until 2060-12-02T03:04:05.000Z\n");
    expect(uncaught.errors).toEqual([]);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "where one is required there is no connection without, by %s",
    async (maxVersion) => {
      const { ca, cert, key } = await member();
      await using site = await siteWith("required", ca);
      expect((await site.ask("club.example", { cert, key, maxVersion })).text).toMatch(/^true\|/);
      await expect(site.ask("club.example", { maxVersion })).rejects.toThrow();
      const stranger = await (await testAuthority()).issue({ subject: "CN=Eve" });
      await expect(site.ask("club.example", { ...stranger, maxVersion })).rejects.toThrow();
      expect((await site.ask("open.example", { maxVersion })).text).toBe("||||");
      expect(site.log.join("")).toMatch(/no TLS connection .*peer did not return a certificate/);
    },
  );

  test.each(["optional", "required"])("who came by another name gets 421 where one is %s", async (terms) => {
    const { ca, cert, key } = await member();
    await using site = await siteWith(terms, ca);
    expect(await site.ask("club.example", { servername: "open.example", cert, key })).toMatchObject({ status: 421 });
    expect(await site.ask("club.example", { servername: "nobody.example", rejectUnauthorized: false })).toMatchObject({
      status: 421,
    });
    expect(await site.ask("open.example", { servername: "club.example", cert, key })).toMatchObject({ status: 200 });
    expect(site.log.join("")).toMatch(
      /with 421: its handshake was one for a name that asks for other client certificates/,
    );
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "a session that goes on remembers whose it is, by %s",
    async (maxVersion) => {
      const { ca, cert, key } = await member();
      await using site = await siteWith("required", ca);
      const club = { servername: "club.example", maxVersion };
      const { session } = await sessionOf(site.port(), { ...club, cert, key });
      expect(await sessionOf(site.port(), { ...club, session })).toMatchObject({ isReused: true });
      expect((await site.ask("club.example", { session, maxVersion })).text).toMatch(/^true\|CN=Ann/);
    },
  );
});

describe("changed files", () => {
  test("are in use from the next handshake on; sessions go on", async () => {
    const { tlsCert, tlsKey } = await folder.issue("changing", { names: ["first.example"] });
    await using site = await serveHttps(
      webapp("a", `"*"`, `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`) + server(`"a"`, ".tlsReloadInterval = 100ms"),
    );
    const { session } = await sessionOf(site.port(), {});
    await folder.issue("changing", { names: ["second.example"] });
    await expect.poll(() => site.shownTo({}), { timeout: 10_000 }).toBe("DNS:second.example");
    expect(site.log.join("")).toContain(
      "info httpxServer.main webapp.a: its certificate was read again, and is in use",
    );
    expect((await sessionOf(site.port(), { session })).isReused).toBe(true);
  });

  test("that cannot be used are told once, and those before them stay", async () => {
    const { tlsCert, tlsKey } = await folder.issue("breaking", { names: ["first.example"] });
    await using site = await serveHttps(
      webapp("a", `"*"`, `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`) + server(`"a"`, ".tlsReloadInterval = 100ms"),
    );
    await folder.write("breaking.crt", "nothing of the sort");
    const told = () => site.log.filter((line) => line.includes("those that were there before stay in use"));
    await expect.poll(told, { timeout: 10_000 }).toHaveLength(1);
    expect(told()[0]).toMatch(/warn httpxServer\.main webapp\.a: .*breaking\.crt holds no certificate in PEM; those/);
    expect(await site.shownTo({})).toBe("DNS:first.example");
    await folder.issue("breaking", { names: ["second.example"] });
    await expect.poll(() => site.shownTo({}), { timeout: 10_000 }).toBe("DNS:second.example");
    expect(told()).toHaveLength(1);
  });

  test("are found behind links that are swapped", async () => {
    const first = await folder.issue("archive1", { names: ["first.example"] });
    const second = await folder.issue("archive2", { names: ["second.example"] });
    const [cert, key] = [join(folder.path, "live.crt"), join(folder.path, "live.key")];
    await symlink(first.tlsCert, cert);
    await symlink(first.tlsKey, key);
    await using site = await serveHttps(
      webapp("a", `"*"`, `.tlsCert = "${cert}" .tlsKey = "${key}"`) + server(`"a"`, ".tlsReloadInterval = 100ms"),
    );
    for (const [target, link] of [
      [second.tlsCert, cert],
      [second.tlsKey, key],
    ] as const) {
      await symlink(target, `${link}.new`);
      await rename(`${link}.new`, link);
    }
    await expect.poll(() => site.shownTo({}), { timeout: 10_000 }).toBe("DNS:second.example");
  });
});

describe("the end", () => {
  test("a quit lets who is in the middle of a handshake have an answer", async () => {
    await using site = await serveHttps(
      webapp("a", `"*"`, await certified("a.example")) + server(`"a"`, ".drainIdleTimeout = 10s"),
    );
    await using silent = await RawClient.connect({ port: site.port(), host: "127.0.0.1" });
    const quit = site.stage.quit(20_000);
    const socket = tls.connect({ socket: silent.socket, rejectUnauthorized: false });
    socket.write(request("GET /"));
    const answer = await new Promise<string>((resolve) =>
      socket.once("data", (data: Buffer) => resolve(data.toString())),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/s);
    await quit;
  });

  test("a quit does not wait for handshakes that go nowhere", async () => {
    await using site = await serveHttps(
      webapp("a", `"*"`, await certified("a.example")) + server(`"a"`, ".drainIdleTimeout = 1ms"),
    );
    await using silent = await RawClient.connect({ port: site.port(), host: "127.0.0.1" });
    await site.stage.quit(20_000);
    expect(silent.socket.destroyed).toBe(false);
    expect(site.stage.state).toBe("stopped");
  });
});
