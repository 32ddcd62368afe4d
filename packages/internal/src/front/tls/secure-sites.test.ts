import { randomBytes } from "node:crypto";
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFolder, TestAuthority, type CertificateFolder } from "../../testing/certificates.ts";
import { clientTerms, noTerms, type ClientTerms } from "./client-terms.ts";
import { SecureSites, type SecureSite } from "./secure-sites.ts";

let folder: CertificateFolder;
beforeAll(async () => (folder = await certificateFolder()));
afterAll(() => folder[Symbol.asyncDispose]());

/** One site at a port of its own, which ends each connection after its handshake. */
async function serveSites(terms: ClientTerms, known: string | undefined) {
  const { tlsCert, tlsKey } = await folder.issue("site", { names: ["a.example"] });
  const state = { ticketKey: randomBytes(48) };
  const site: SecureSite = {
    path: "webapp.a",
    hostnames: ["a.example"],
    files: { certs: [tlsCert], keys: [tlsKey], passphrase: undefined },
    terms,
  };
  const sites = new SecureSites({
    sites: [site],
    find: (name) => (name === known ? site : undefined),
    isStrict: false,
    protocols: [],
    common: { sessionTimeout: 300 },
    ticketKey: () => state.ticketKey,
    id: "server",
    now: () => Date.now(),
    warn: () => {},
  });
  await sites.load();
  return { sites, state };
}

async function listen(sites: SecureSites) {
  const leader = sites.serverFor(undefined)?.server;
  leader?.on("secureConnection", (socket) => socket.on("error", () => {}).end("x"));
  const server = net.createServer((socket) => leader?.emit("connection", socket)).listen(0, "127.0.0.1");
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

describe.each(["TLSv1.2", "TLSv1.3"] as const)("by %s", (maxVersion) => {
  test.each([undefined, "a.example"])(
    "sessions are sealed with the ticket key of now (server name %j)",
    async (servername) => {
      const { sites, state } = await serveSites(noTerms, servername);
      await using server = await listen(sites);
      const options = { maxVersion, ...(servername === undefined ? {} : { servername }) };
      const before = await server.connect(options);
      expect((await server.connect({ ...options, session: before.session })).isReused).toBe(true);
      state.ticketKey = randomBytes(48);
      sites.takeTicketKey();
      expect((await server.connect({ ...options, session: before.session })).isReused).toBe(false);
      const after = await server.connect(options);
      expect((await server.connect({ ...options, session: after.session })).isReused).toBe(true);
    },
  );

  test("who came by an authority that is no longer named does not go on with a session", async () => {
    const old = await TestAuthority.create("Old");
    const file = await folder.write(`ca-${maxVersion}.pem`, old.cert);
    const { sites } = await serveSites(clientTerms("required", [file]), "a.example");
    await using server = await listen(sites);
    const { cert, key } = await old.issue({ subject: "CN=Ann" });
    const options = { maxVersion, servername: "a.example" };
    const { session } = await server.connect({ ...options, cert, key });
    expect((await server.connect({ ...options, session })).isReused).toBe(true);
    await folder.write(`ca-${maxVersion}.pem`, (await TestAuthority.create("New")).cert);
    expect(await sites.reload()).toHaveLength(1);
    await expect(server.connect({ ...options, session })).rejects.toThrow();
  });
});
