import * as net from "node:net";
import { once } from "node:events";
import * as tls from "node:tls";
import { createPrivateKey } from "node:crypto";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { testAuthority } from "../testing/certificates.ts";
import { defineServer, type ServerPart } from "../stage/kinds/server.ts";
import type { Codec, CodecConn } from "./codecs.ts";
import { Front } from "./front.ts";
import { frontProps } from "./front-props.ts";
import type { CertificateSource, ChallengeCertificate, SecureSite } from "./tls/certificate-source.ts";
import { noTerms } from "./tls/client-terms.ts";

/** What its connections ask of their server. */
interface Greeting {
  front?: Front<Greeting>;
}

/** Says who the client is and what was agreed on, and ends: a protocol without HTTP. */
const greeter: Codec<Greeting> = {
  transport: "tcp",
  alpn: ["greeting"],
  open(socket, peer, tls, server) {
    const conn: CodecConn = { tls, peer, drain: () => socket.end(), destroy: () => socket.destroy() };
    socket.on("error", () => {}).on("close", () => server.front?.closed(conn));
    socket.resume().end(`hello ${tls?.serverName ?? "in the clear"} [${tls?.nextProto ?? ""}]`);
    return conn;
  },
};

/** A stage with one server that is a front and nothing else. */
async function serve(props: string, source: CertificateSource) {
  const sink = new MemorySink();
  const greetingServer = defineServer({
    sign: "greetingServer",
    props: frontProps,
    create(context): ServerPart {
      const server: Greeting = {};
      const front = new Front({ context, server, codecs: [greeter], source });
      server.front = front;
      return {
        prepare: () => front.prepare(),
        start: () => front.open(),
        drain: () => front.drain(),
        shutdown: () => front.shutdown(),
        get listensOn() {
          return front.listensOn;
        },
      };
    },
  });
  const text = `stage { greetingServer "main" { .address = "127.0.0.1:0" ${props} } }`;
  const stage = await bootWith([]).bootText(text, {
    log: openErrorLog({ level: "debug", sink }),
    use: [pack("test", [greetingServer])],
  });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("greetingServer.main")?.part ?? {};
  const port = Number(listensOn.replace(/^.*:/, ""));
  return {
    log: sink.lines,
    port,
    async ask(options: tls.ConnectionOptions) {
      const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
      await once(socket, "secureConnect");
      const names = socket.getPeerX509Certificate()?.subjectAltName;
      return { names, text: Buffer.concat(await socket.toArray()).toString() };
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

async function issued(name: string): Promise<ChallengeCertificate> {
  return await (await testAuthority()).issue({ names: [name] });
}

async function siteOf(name: string): Promise<SecureSite> {
  const { cert, key } = await issued(name);
  const certificates = [{ chain: cert, key: createPrivateKey(key) }];
  return { path: name, certificates, terms: noTerms, sessionScope: name };
}

const nothing: CertificateSource = { fallback: undefined, dependsOnName: true, find: () => undefined };

test("connections without TLS are served by the codec, though it speaks no HTTP", async () => {
  await using server = await serve("", nothing);
  const socket = net.connect({ port: server.port, host: "127.0.0.1" });
  expect(Buffer.concat(await socket.toArray()).toString()).toBe("hello in the clear []");
});

test("a source may take its time, and give another certificate for each handshake", async () => {
  const sites = [await siteOf("first.example"), await siteOf("second.example")];
  const asked: string[] = [];
  await using server = await serve(".tlsMode = true", {
    fallback: undefined,
    dependsOnName: true,
    find(serverName) {
      asked.push(serverName);
      return new Promise((resolve) => setImmediate(() => resolve(sites.shift())));
    },
  });
  const options = { servername: "Any.example", ALPNProtocols: ["greeting"] };
  expect(await server.ask(options)).toEqual({ names: "DNS:first.example", text: "hello any.example [greeting]" });
  expect(await server.ask(options)).toMatchObject({ names: "DNS:second.example" });
  expect(asked).toEqual(["any.example", "any.example"]);
  await expect(server.ask(options)).rejects.toMatchObject({ code: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME" });
});

test("a source that fails ends the handshake, with its reason in the log", async () => {
  await using server = await serve(".tlsMode = true", {
    ...nothing,
    find: () => Promise.reject(new Error("the store is gone")),
  });
  await expect(server.ask({ servername: "a.example" })).rejects.toThrow();
  expect(server.log.join("")).toContain("no TLS connection with 127.0.0.1: the store is gone");
});

test("a handshake by acme-tls/1 is one with the certificate of the challenge, and leads to nothing", async () => {
  const site = await siteOf("a.example");
  const challenge = await issued("challenge.example");
  await using server = await serve(".tlsMode = true .tlsStrictServerName = true", {
    fallback: site,
    dependsOnName: false,
    find: () => site,
    findChallenge: (name) => (name === "a.example" ? challenge : undefined),
  });
  const ALPNProtocols = ["acme-tls/1"];
  expect(await server.ask({ servername: "a.example", ALPNProtocols })).toEqual({
    names: "DNS:challenge.example",
    text: "",
  });
  expect(await server.ask({ servername: "a.example", ALPNProtocols: ["acme-tls/1", "greeting"] })).toEqual({
    names: "DNS:a.example",
    text: "hello a.example [greeting]",
  });
  // There is no challenge for it, and nobody here speaks the protocol.
  await expect(server.ask({ servername: "b.example", ALPNProtocols })).rejects.toMatchObject({
    code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
  });
});
