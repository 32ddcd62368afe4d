import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo } from "node:net";
import * as tls from "node:tls";
import { expect, test } from "vitest";
import { certificateFolder, TestAuthority, testAuthority } from "./certificates.ts";

test.each(["EC", "RSA"] as const)("a client that trusts the authority takes an %s certificate of it", async (key) => {
  const authority = await testAuthority();
  const issued = await authority.issue({ names: ["a.example"], key });
  const server = tls.createServer(issued, (socket) => socket.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = tls.connect({ port, host: "127.0.0.1", servername: "a.example", ca: authority.cert });
  await once(socket, "secureConnect");
  expect(socket.authorized).toBe(true);
  socket.destroy();
  server.close();
});

test("names, subject and validity are those that were asked for", async () => {
  const authority = await TestAuthority.create("Another Authority");
  const notAfter = new Date("2020-02-02T00:00:00Z");
  const request = { names: ["*.b.example", "127.0.0.1"], subject: "CN=b, O=Shop", notBefore: new Date(0), notAfter };
  const cert = new X509Certificate((await authority.issue(request)).cert);
  expect(cert.checkHost("www.b.example")).toBe("*.b.example");
  expect(cert.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(cert.subject).toBe("CN=b\nO=Shop");
  expect(cert.issuer).toBe("CN=Another Authority");
  expect(cert.validToDate).toEqual(notAfter);
});

test("a folder holds what was issued into it", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("site", { names: ["a.example"] });
  expect(tlsCert).toBe(`${folder.path}/site.crt`);
  expect(await readFile(tlsKey, "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
});
