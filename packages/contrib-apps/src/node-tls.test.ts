// What an app learns of its client's TLS, by `req.socket`: as on a server of Node.js.

import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type ConnectionOptions } from "node:tls";
import { describe, expect, test } from "vitest";
import type { TlsMembers } from "./tls-members.ts";
import { testAuthority } from "./testing/certificates.ts";
import { current } from "./testing/node-app.ts";
import { serve } from "./testing/serve.ts";

const authority = await testAuthority();
const [server, member, stranger] = await Promise.all([
  authority.issue("site.example"),
  authority.issue("ann.example"),
  testAuthority("Another Authority").then((other) => other.issue("eve.example")),
]);

/** As JSON has them. */
function factsOf({ socket }: IncomingMessage): unknown {
  // Also on a server of Node.js, whose types have it that the socket of a request is a plain one.
  const tls = socket as typeof socket & TlsMembers;
  const { authorized, authorizationError, encrypted, alpnProtocol, servername } = tls;
  return {
    ...{ authorized, authorizationError, encrypted, alpnProtocol, servername },
    protocol: tls.getProtocol(),
    cipher: tls.getCipher(),
    certificate: tls.getPeerCertificate(),
    serial: tls.getPeerX509Certificate()?.serialNumber,
    isReused: tls.isSessionReused(),
  };
}

async function answerTo(port: number, options: ConnectionOptions): Promise<unknown> {
  const socket = connect({ port, host: "127.0.0.1", servername: "site.example", ca: authority.cert, ...options });
  socket.write("GET / HTTP/1.1\r\nhost: site.example\r\nconnection: close\r\n\r\n");
  const answer = Buffer.concat(await socket.toArray()).toString();
  return JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));
}

async function inNode(read: (req: IncomingMessage) => unknown, options: ConnectionOptions): Promise<unknown> {
  const asking = { requestCert: true, rejectUnauthorized: false, ca: authority.cert };
  const site = createServer({ ...server, ...asking, ALPNProtocols: ["http/1.1"] }, (req, res) => {
    const text = JSON.stringify(read(req));
    res.writeHead(200, { "content-length": Buffer.byteLength(text) }).end(text);
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  try {
    return await answerTo((site.address() as AddressInfo).port, options);
  } finally {
    site.close();
  }
}

async function inHemi(read: (req: IncomingMessage) => unknown, options: ConnectionOptions): Promise<unknown> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-apps-tls-"));
  await writeFile(join(folder.path, "server.pem"), server.cert + "\n" + server.key);
  await writeFile(join(folder.path, "authority.pem"), authority.cert);
  current.app = (req, res) => res.end(JSON.stringify(read(req)));
  const tls = `.tlsCert = "${folder.path}/server.pem" .tlsClientCert = "optional" .tlsClientCA = "${folder.path}/authority.pem"`;
  await using site = await serve('nodeHandlet { .module = "node-app.ts" }', ".tlsMode = true", [], tls);
  return await answerTo(site.port, options);
}

describe.each<[version: "TLSv1.2" | "TLSv1.3", cipher: string]>([
  ["TLSv1.3", "TLS_AES_128_GCM_SHA256"],
  ["TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
])("by %s", (version, cipher) => {
  const cryptography = {
    maxVersion: version,
    ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
    ALPNProtocols: ["http/1.1"],
  };

  test.each<[client: string, options: ConnectionOptions]>([
    ["without a certificate", {}],
    ["with a certificate", member],
    ["with one that nobody vouches for", stranger],
  ])("a client %s", async (_client, options) => {
    const [inside, outside] = [
      await inHemi(factsOf, { ...cryptography, ...options }),
      await inNode(factsOf, { ...cryptography, ...options }),
    ];
    expect(inside).toMatchObject({ encrypted: true, cipher: { name: cipher, standardName: cipher, version } });
    // The one thing that OpenSSL has another name for.
    expect({ ...(inside as object), cipher }).toEqual({ ...(outside as object), cipher });
  });
});

test("who says https without TLS has nothing of it", async () => {
  current.app = (req, res) => res.end(JSON.stringify(factsOf(req)));
  await using site = await serve('nodeHandlet { .module = "node-app.ts" }');
  expect(JSON.parse((await site.ask({ url: "https://site.example/" })).text)).toEqual({
    authorized: false,
    authorizationError: null,
    encrypted: true,
    alpnProtocol: false,
    servername: false,
    protocol: null,
    cipher: null,
    certificate: {},
    isReused: false,
  });
});
