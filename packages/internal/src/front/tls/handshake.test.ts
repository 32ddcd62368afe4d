import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFolder, type CertificateFolder } from "../../testing/certificates.ts";
import { answerInPieces, serveHttps, sessionOf, type HttpsSite } from "../../testing/https-site.ts";

let folder: CertificateFolder;
beforeAll(async () => (folder = await certificateFolder()));
afterAll(() => folder[Symbol.asyncDispose]());

/** A site that tells the name in the handshake, of one webapp for each of these names. */
async function siteOf(...names: readonly string[]): Promise<HttpsSite> {
  let text = "";
  for (const name of names) {
    const { tlsCert, tlsKey } = await folder.issue(name, { names: [name] });
    text += `webapp "${name}" {
      .hostnames = ("${name}") .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"
      rule { .returnText = $tlsVersion + " [" + $tlsServerName + "]" }
    }\n`;
  }
  const webapps = names.map((name) => `"${name}"`).join(", ");
  return await serveHttps(`${text} httpxServer "main" {
    .webapps = (${webapps}) .address = "127.0.0.1:0" .tlsMode = true
  }`);
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("the name that a client asks for by %s", (maxVersion) => {
  test.each([
    ["of a server with one site", ["a.example"]],
    ["of a server with two sites", ["a.example", "b.example"]],
  ])("is known where a session goes on, %s", async (_name, names) => {
    await using site = await siteOf(...names);
    const options = { servername: "a.example", maxVersion };
    const { session } = await sessionOf(site.port(), options);
    expect(await sessionOf(site.port(), { ...options, session })).toMatchObject({ isReused: true });
    expect((await site.ask("a.example", { ...options, session })).text).toBe(`${maxVersion} [a.example]`);
  });

  test("is that of now, though a session goes on that was begun under another one, or none", async () => {
    await using site = await siteOf("a.example");
    const { session } = await sessionOf(site.port(), { servername: "a.example", maxVersion });
    for (const servername of ["Other.example", ""]) {
      const options = { servername, maxVersion, session, checkServerIdentity: () => undefined };
      const { text } = await site.ask("a.example", options);
      expect(text).toBe(`${maxVersion} [${servername.toLowerCase()}]`);
    }
  });
});

test("the handshake may come in any pieces to a server that needs no name", async () => {
  await using site = await siteOf("a.example");
  for (let at = 1; at < 400; at += at < 16 ? 1 : 17) {
    expect(await answerInPieces(site.port(), at)).toMatch(/\r\nTLSv1\.3 \[a\.example\]$/);
  }
});
