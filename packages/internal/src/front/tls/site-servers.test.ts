import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFolder, TestAuthority, type CertificateFolder } from "../../testing/certificates.ts";
import type { SecureSite } from "./certificate-source.ts";
import { SiteFiles, type NamedFiles } from "./site-files.ts";
import { SiteServers } from "./site-servers.ts";
import { TicketKey } from "./ticket-keys.ts";

let folder: CertificateFolder;
beforeAll(async () => (folder = await certificateFolder()));
afterAll(() => folder[Symbol.asyncDispose]());

const settings = {
  tlsMinVersion: "TLSv1.2",
  tlsCiphers: tls.DEFAULT_CIPHERS,
  tlsCurves: "auto",
  tlsSessionTimeout: 300_000,
} as const;

function makeServers(ticketKey = new TicketKey(0)): SiteServers {
  return new SiteServers({ settings, protocols: () => [], ticketKey });
}

/** Files with a certificate, read, and the site that is made of them as they are now. */
async function filesWith(named: NamedFiles = {}) {
  const { tlsCert, tlsKey } = await folder.issue("site", { names: ["a.example"] });
  const files = new SiteFiles({ tlsCert: [tlsCert], tlsKey: [tlsKey], ...named });
  await files.load();
  const site = (sessionScope = "a"): SecureSite => ({
    path: "webapp.a",
    certificates: files.certificates ?? [],
    terms: files.terms,
    sessionScope,
  });
  return { files, site };
}

/** A port whose connections end after their handshake. `leader` is asked for each. */
async function listen(leader: () => tls.Server) {
  const server = net.createServer((socket) => leader().emit("connection", socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    /** Whether the session goes on, and the next one. */
    async connect(options: tls.ConnectionOptions) {
      const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
      let session: Buffer | undefined;
      socket.on("session", (latest: Buffer) => (session = latest));
      await once(socket, "secureConnect");
      const isReused = socket.isSessionReused();
      await socket.toArray();
      return { session, isReused };
    },
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** Ends its connections once they are secured. */
function ending(servers: SiteServers, site: SecureSite): tls.Server {
  const { server } = servers.serverFor(site);
  if (server.listenerCount("secureConnection") === 1) {
    server.on("secureConnection", (socket) => socket.on("error", () => {}).end("x"));
  }
  return server;
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("by %s", (maxVersion) => {
  test.each([undefined, "a.example"])(
    "sessions are sealed with the ticket key of now (server name %j)",
    async (servername) => {
      const ticketKey = new TicketKey(0);
      const servers = makeServers(ticketKey);
      const { site } = await filesWith();
      const only = site();
      await using server = await listen(() => ending(servers, only));
      const options = { maxVersion, ...(servername === undefined ? {} : { servername }) };
      const before = await server.connect(options);
      expect((await server.connect({ ...options, session: before.session })).isReused).toBe(true);
      ticketKey.replaceIfOlder(1, 2);
      expect((await server.connect({ ...options, session: before.session })).isReused).toBe(false);
      const after = await server.connect(options);
      expect((await server.connect({ ...options, session: after.session })).isReused).toBe(true);
    },
  );

  test("a session goes on at another server of the process for the same site, and at no other site", async () => {
    const ticketKey = new TicketKey(0);
    const [first, second] = [makeServers(ticketKey), makeServers(ticketKey)];
    const { site } = await filesWith();
    const [one, same, other] = [site(), site(), site("b")];
    await using begun = await listen(() => ending(first, one));
    await using goesOn = await listen(() => ending(second, same));
    await using elsewhere = await listen(() => ending(second, other));
    const { session } = await begun.connect({ maxVersion });
    expect((await goesOn.connect({ maxVersion, session })).isReused).toBe(true);
    expect((await elsewhere.connect({ maxVersion, session })).isReused).toBe(false);
  });

  test("who came by an authority that is no longer named does not go on with a session", async () => {
    const old = await TestAuthority.create("Old");
    const file = await folder.write(`ca-${maxVersion}.pem`, old.cert);
    const { files, site } = await filesWith({ tlsClientCert: "required", tlsClientCA: [file] });
    const servers = makeServers();
    let current = site();
    await using server = await listen(() => ending(servers, current));
    const { cert, key } = await old.issue({ subject: "CN=Ann" });
    const options = { maxVersion, servername: "a.example" };
    const { session } = await server.connect({ ...options, cert, key });
    expect((await server.connect({ ...options, session })).isReused).toBe(true);
    const { id } = files.terms;
    await folder.write(`ca-${maxVersion}.pem`, (await TestAuthority.create("New")).cert);
    expect(await files.refresh()).toBe(true);
    // The same file, and not the same terms: it holds for the next request of a kept connection, too.
    expect(files.terms.id).not.toBe(id);
    current = site();
    await expect(server.connect({ ...options, session })).rejects.toThrow();
  });
});

test("a ticket key is replaced when it is older than its lifetime, and not before", () => {
  const key = new TicketKey(1000);
  const { bytes } = key;
  key.replaceIfOlder(500, 1400);
  expect(key.bytes).toBe(bytes);
  key.replaceIfOlder(500, 1500);
  expect(key.bytes).not.toBe(bytes);
});
