import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { certificateFolder, testAuthority } from "../../testing/certificates.ts";
import { listening, type Listening } from "../../testing/listening.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";

/** A server that answers each request with the name that TLS asked for and that of the client's certificate. */
async function answering(options: TlsOptions): Promise<{ server: Server } & Listening> {
  const server = createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {
      const text = `${String(socket.servername)} ${clientOf(socket)}`;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
    });
  });
  return { server, ...(await listening(server)) };
}

/** The name in the certificate of a client; "" if it has shown none. */
function clientOf(socket: TLSSocket): string {
  const { subject } = socket.getPeerX509Certificate() ?? { subject: "" };
  return subject.replace("CN=", "");
}

test("nodes are spoken to by TLS, by the name that they have, and are shown who we are", async () => {
  await using folder = await certificateFolder();
  const authority = await testAuthority();
  const { cert, key } = await authority.issue({ names: ["localhost", "other.example"] });
  const tlsCA = await folder.write("ca.crt", authority.cert);
  const ours = await folder.issue("ours", { subject: "CN=the proxy" });
  await using backend = await answering({
    cert,
    key,
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const nodes = [`localhost:${backend.port}`];
  await using proxy = await proxyTo(nodes, { backend: { tlsMode: true, tlsCA, ...ours } });
  expect((await proxy.ask("GET /")).text).toBe("localhost the proxy");
  await using other = await proxyTo(nodes, { backend: { tlsMode: true, tlsCA, tlsServerName: "other.example" } });
  // Kept connections work as others do.
  for (let i = 0; i < 2; i++) expect((await other.ask(request("GET /"))).text).toBe("other.example ");
});

test.each([
  ["an authority that is not trusted", {}, ["localhost"], /unable to|self-signed|certificate/],
  ["another name", { tlsCA: true }, ["wrong.example"], /does not match certificate/],
])("a certificate of %s: 502", async (_, { tlsCA = false }: { tlsCA?: boolean }, names, reason) => {
  await using folder = await certificateFolder();
  const authority = await testAuthority();
  const ca = await folder.write("ca.crt", authority.cert);
  await using backend = await answering(await authority.issue({ names }));
  await using proxy = await proxyTo([`localhost:${backend.port}`], {
    backend: { tlsMode: true, ...(tlsCA && { tlsCA: ca }) },
  });
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(proxy.log.join("\n")).toMatch(reason);
  await using trusting = await proxyTo([`localhost:${backend.port}`], { backend: { tlsMode: true, tlsVerify: false } });
  expect((await trusting.ask("GET /")).status).toBe(200);
});

test("a file that cannot be read is found without a start", async () => {
  await using stage = await bootWith([]).bootText(
    `stage { http1Backend "shop" { .nodes = (["address": "127.0.0.1:1"]) .tlsMode = true .tlsCA = "/nowhere/ca.crt" } }`,
  );
  await expect(stage.examine()).rejects.toThrow("/nowhere/ca.crt cannot be read");
});

test("a file that cannot be read, and half a certificate, stop the boot", async () => {
  await expect(proxyTo(["127.0.0.1:1"], { backend: { tlsMode: true, tlsCA: "/nowhere/ca.crt" } })).rejects.toThrow(
    "/nowhere/ca.crt cannot be read",
  );
  await expect(proxyTo(["127.0.0.1:1"], { backend: { tlsMode: true, tlsCert: "/x.crt" } })).rejects.toThrow(
    "a certificate and its key go together",
  );
  await expect(proxyTo(["127.0.0.1:1"], { backend: { tlsVerify: false } })).rejects.toThrow(
    "says something of TLS only",
  );
});

describe("files that cannot be used for nodes are found without a start:", () => {
  async function examine(props: string): Promise<string> {
    const node = `.nodes = (["address": "127.0.0.1:1"]) .tlsMode = true ${props}`;
    await using stage = await bootWith([]).bootText(`stage { http1Backend "shop" { ${node} } }`);
    return await stage.examine().then(() => "", String);
  }

  test("an authority that is no certificate, which node:tls would ignore", async () => {
    await using folder = await certificateFolder();
    const { tlsKey } = await folder.issue("a", {});
    expect(await examine(`.tlsCA = "${await folder.write("empty.crt", "")}"`)).toMatch(
      /HEMI_CERTIFICATE: .*empty\.crt holds no certificate in PEM: it is empty/,
    );
    expect(await examine(`.tlsCA = "${tlsKey}"`)).toMatch(/holds no certificate in PEM, but a private key/);
  });

  test("a key of another certificate", async () => {
    await using folder = await certificateFolder();
    const { tlsCert } = await folder.issue("a", {});
    const { tlsKey } = await folder.issue("b", {});
    const problem = await examine(`.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`);
    expect(problem).toMatch(/HEMI_CERTIFICATE: .*is the certificate of another key than .* holds/);
  });

  test("an encrypted key, for which there is no prop", async () => {
    await using folder = await certificateFolder();
    const { tlsCert, tlsKey } = await folder.issue("a", {});
    const key = createPrivateKey(await readFile(tlsKey));
    const options = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
    const encrypted = await folder.write("encrypted.key", key.export(options).toString());
    const problem = await examine(`.tlsCert = "${tlsCert}" .tlsKey = "${encrypted}"`);
    expect(problem).toMatch(/HEMI_CERTIFICATE: .*encrypted\.key holds an encrypted key: store it without a passphrase/);
  });

  test("what can be used is not", async () => {
    await using folder = await certificateFolder();
    const { tlsCert, tlsKey } = await folder.issue("a", {});
    expect(await examine(`.tlsCA = "${tlsCert}" .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`)).toBe("");
  });
});
