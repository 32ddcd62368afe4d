import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import type { Problem } from "../config/problem.ts";
import { certificateFolder, type CertificateFolder, type IssuedFiles } from "../testing/certificates.ts";
import { serveHttps } from "../testing/https-site.ts";

const { bootText } = bootWith([]);

function stage(webapp: string, server: string): string {
  return (
    `webapp "a" { .hostnames = ("a.example") ${webapp} rule { .returnText = "a" } }\n` +
    `httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" ${server} }`
  );
}

test.each([
  ["", ".tlsMode = true", /httpxServer "main": there is no certificate: none of its webapps has a \.tlsCert/],
  ["", '.tlsCert = "a.pem"', /\.tlsCert needs \.tlsMode = true: this serves plain HTTP/],
  ["", ".tlsStrictServerName = true", /\.tlsStrictServerName needs \.tlsMode = true/],
  ['.tlsKey = "a.key"', "", /webapp "a": \.tlsKey needs \.tlsCert, whose key it is/],
  ['.tlsCert = ("a", "b") .tlsKey = "c"', "", /\.tlsCert has 2 files and \.tlsKey 1: each certificate has a key/],
  ['.tlsClientCert = "optional"', "", /\.tlsClientCert = "optional" needs \.tlsClientCA: who vouches for clients\?/],
  [
    '.tlsClientCert = "required" .tlsClientCA = "ca"',
    "",
    /httpxServer\.main serves it by plain HTTP, where clients show/,
  ],
  ['.tlsClientCert = "yes"', "", /takes "none", "optional" or "required"/],
  [".tlsCert = 3", "", /\.tlsCert takes a path, or a list of paths of at least 1 item, not /],
  [".tlsCert = ()", "", /\.tlsCert takes a list of paths of at least 1 item, not of 0/],
])("the configuration with { %s } and { %s } is refused", async (webapp, server, message) => {
  await expect(bootText(`stage { ${stage(webapp, server)} }`)).rejects.toThrow(message);
});

test("the certificate of a webapp has to be there even where nothing is served by TLS", async () => {
  await using site = await bootText(`stage { ${stage('.tlsCert = "/no/such"', "")} }`);
  await expect(site.start()).rejects.toThrow(
    /^webapp\.a could not be prepared:\n<text>:\d+:\d+ HEMI_FILE: the certificate \/no\/such cannot be read: there is no such file\n.*\n.* \^{21}$/,
  );
});

test("a certificate that no server uses is told by a warning", async () => {
  const doubts: Problem[] = [];
  const warned = (found: readonly Problem[]) => doubts.push(...found);
  const tls = '.tlsCert = "/a.pem" .tlsKey = "/a.key"';
  await using plain = await bootText(`stage { ${stage(tls, "")} }`, { warned });
  expect(plain.state).toBe("created");
  expect(doubts).toMatchObject([
    {
      code: "HEMI_CONFIG_DOUBT",
      message: 'webapp "a": .tlsCert is not used: no server that serves it speaks TLS',
      hint: "set .tlsMode = true in httpxServer.main, or in a server of its own",
    },
  ]);
  doubts.length = 0;
  const second = 'httpxServer "tls" { .webapps = ("a") .address = "127.0.0.2:0" .tlsMode = true }';
  await using both = await bootText(`stage { ${stage(tls, "")} ${second} }`, { warned });
  expect(both.state).toBe("created");
  expect(doubts).toEqual([]);
});

describe("files", () => {
  let folder: CertificateFolder;
  beforeAll(async () => (folder = await certificateFolder()));
  afterAll(() => folder[Symbol.asyncDispose]());

  test("that cannot be used end the start with component, file and reason", async () => {
    const { tlsCert } = await folder.issue("a", { names: ["a.example"] });
    const { tlsKey } = await folder.issue("b", { names: ["b.example"] });
    const serving = serveHttps(stage(`.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`, ".tlsMode = true"));
    await expect(serving).rejects.toThrow(
      `HEMI_CERTIFICATE: ${tlsCert} is the certificate of another key than ${tlsKey} holds`,
    );
    await expect(serveHttps(stage('.tlsCert = "/no/such"', ".tlsMode = true"))).rejects.toThrow(
      "HEMI_FILE: the certificate /no/such cannot be read: there is no such file",
    );
    const ciphers = serveHttps(stage(`.tlsCert = "${tlsCert}"`, '.tlsMode = true .tlsCiphers = "none-such"'));
    await expect(ciphers).rejects.toThrow(/\.tlsCiphers cannot be used: .*no cipher match/i);
    const curves = serveHttps(stage(`.tlsCert = "${tlsCert}"`, '.tlsMode = true .tlsCurves = "none-such"'));
    await expect(curves).rejects.toThrow(/\.tlsCurves cannot be used: /);
  });

  test.each([
    ["is forgotten", () => "", "tlsCert", /holds a certificate and no private key: set \.tlsKey/],
    ["is that of another certificate", (other) => other.tlsKey, "tlsKey", /is the certificate of another key/],
    ["is missing", () => "/no/such", "tlsKey", /the key \/no\/such cannot be read: there is no such file/],
    ["is a certificate", (other) => other.tlsCert, "tlsKey", /are \.tlsCert and \.tlsKey swapped/],
  ] satisfies [string, (other: IssuedFiles) => string, string, RegExp][])(
    "of a key that %s are shown with their line",
    async (_name, keyOf, prop, reason) => {
      const { tlsCert } = await folder.issue("a", { names: ["a.example"] });
      const key = keyOf(await folder.issue("b", { names: ["b.example"] }));
      const props = `\n.tlsCert = "${tlsCert}"${key === "" ? "" : `\n.tlsKey = "${key}"`}\n`;
      await using site = await bootText(`stage { ${stage(props, ".tlsMode = true")} }`);
      const error: unknown = await site.examine().catch((error: unknown) => error);
      const line = prop === "tlsCert" ? 2 : 3;
      expect(String(error)).toMatch(reason);
      expect(String(error)).toMatch(
        new RegExp(`^<text>:${line}:1 HEMI_.*\\n +${line} \\| \\.${prop} = .*\\n.*\\| \\^+$`, "m"),
      );
    },
  );

  test("with a key that is too small for OpenSSL are found by an examination, too", async () => {
    const [key, cert] = [join(folder.path, "small.key"), join(folder.path, "small.crt")];
    const request = ["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "2", "-subj", "/CN=a.example"];
    await promisify(execFile)("openssl", [...request, "-keyout", key, "-out", cert]);
    await using site = await bootText(
      `stage { ${stage(`.tlsCert = "${cert}" .tlsKey = "${key}"`, ".tlsMode = true")} }`,
    );
    await expect(site.examine()).rejects.toThrow(
      /webapp\.a could not be used:\n.* HEMI_CERTIFICATE: .*small\.crt cannot be used: .*too small/,
    );
  });

  test("that the settings of the server rule out are found by an examination, too", async () => {
    const { tlsCert, tlsKey } = await folder.issue("p256", { names: ["a.example"] });
    const strict = '.tlsMode = true .tlsCiphers = "DEFAULT@SECLEVEL=4"';
    await using site = await bootText(`stage { ${stage(`.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`, strict)} }`);
    await expect(site.examine()).rejects.toThrow(
      /httpxServer\.main could not be used: the certificates of webapp\.a cannot be used: .*too small/,
    );
  });

  test("are inherited from the stage, by all webapps that have none", async () => {
    const { tlsCert, tlsKey } = await folder.issue("s", { names: ["a.example"] });
    await using site = await serveHttps(
      `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}" ` + stage("", ".tlsMode = true"),
    );
    expect(await site.ask("a.example")).toMatchObject({ status: 200 });
  });

  test("with which something is amiss are told, and serve", async () => {
    const old = { names: ["b.example"], notBefore: new Date(0), notAfter: new Date("2020-02-02T00:00:00Z") };
    const { tlsCert, tlsKey } = await folder.issue("o", old);
    await using site = await serveHttps(stage(`.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`, ".tlsMode = true"));
    expect(await site.shownTo({ servername: "a.example" })).toBe("DNS:b.example");
    const warnings = site.log.filter((line) => line.includes(" warn "));
    expect(warnings).toEqual([
      expect.stringContaining(`httpxServer.main webapp.a: the certificate ${tlsCert} covers none of its hostnames`),
      expect.stringMatching(
        /webapp\.a: the certificate .*o\.crt has expired, on Feb {2}2 .* 2020 GMT: clients refuse it/,
      ),
    ]);
  });
});
