// The scheme of requests behind a proxy that ends TLS: nginx before a site with sessions, and curl.

import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootText, defineHandlet, MemorySink, openErrorLog, pack, type ServerPart } from "@hemi/hemi";
import { makeCertificate } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { startNginx } from "../src/nginx.ts";
import { freePort } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";
import { curl } from "./proxy-before.ts";

/** Counts the requests of a session. */
const counter = defineHandlet({
  sign: "counter",
  create: () => ({
    async handle(req, resp) {
      const count = await req.session.update("count", (before) => Number(before ?? 0) + 1);
      resp.send(`${count} by ${req.scheme} from ${req.srcHost}`);
      return true;
    },
  }),
});

/** Sends those who come by http to https. */
async function serveSite(folder: string, trust: string): Promise<{ address: string } & AsyncDisposable> {
  const stage = await bootText(
    `stage {
      localStater "sessions" { .file = "${folder}/sessions.sqlite" .onDown = "refuse" }
      webapp "shop" {
        .hostnames = ("*") .withStater = "sessions"
        rule { httpsChecker { .maxAge = 30d } counter {} }
      }
      httpxServer "main" { .address = "127.0.0.1:0" ${trust} }
    }`,
    { use: [pack("test", [counter])], log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return { address, [Symbol.asyncDispose]: () => stage.quit() };
}

test.for([
  ["x-forwarded-for", "X-Forwarded-For $proxy_add_x_forwarded_for", "X-Forwarded-Proto $scheme"],
  ["forwarded", 'Forwarded "for=$remote_addr;proto=$scheme"', "X-Forwarded-Proto http"],
] as const)(
  "behind nginx that ends TLS, %s tells https, and nobody else can",
  async ([forwardedField, ...fields], context) => {
    const program = peer("curl", context);
    const nginx = peer("nginx", context);
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-tls-before-"));
    peer("openssl", context);
    makeCertificate(folder.path, "shop");
    const trust = `.trustForwarded = ("127.0.0.1") .forwardedField = "${forwardedField}"`;
    await using site = await serveSite(folder.path, trust);
    const tlsPort = await freePort();
    await using before = await startNginx(
      nginx,
      `listen 127.0.0.1:${tlsPort} ssl;
      ssl_certificate ${folder.path}/shop.crt; ssl_certificate_key ${folder.path}/shop.key;
      proxy_set_header Host $http_host; ${fields.map((field) => `proxy_set_header ${field};`).join(" ")}
      location / { proxy_pass http://${site.address}; }`,
    );
    const ask = async (...args: string[]) => String(await curl(program, "-k", "-i", ...args));
    const jar = join(folder.path, "jar");
    const safe = ["-b", jar, "-c", jar, `https://127.0.0.1:${tlsPort}/`];
    const first = await ask(...safe);
    expect(first).toMatch(/\r\n\r\n1 by https from 127\.0\.0\.1$/);
    expect(first).toMatch(/\r\nset-cookie: __Host-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax\r\n/i);
    expect(first).toMatch(/\r\nstrict-transport-security: max-age=2592000\r\n/i);
    expect(await ask(...safe)).toMatch(/\r\n\r\n2 by https from 127\.0\.0\.1$/);

    const claims = ["-H", "x-forwarded-proto: https", "-H", "forwarded: for=127.0.0.1;proto=https"];
    for (const more of [[], claims]) {
      expect(await ask(...more, `http://${before.address}/`)).toMatch(/^HTTP\/1\.1 308 /);
      // The site trusts nginx, which has another address than this client.
      expect(await ask(...more, "--interface", "127.0.0.2", `http://${site.address}/`)).toMatch(/^HTTP\/1\.1 308 /);
    }
  },
);
