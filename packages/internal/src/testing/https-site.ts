// For tests: a running site by HTTPS out of a configuration's text, and clients who look at what they are shown.

import { once } from "node:events";
import * as net from "node:net";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { Stage } from "../stage.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { testAuthority } from "./certificates.ts";
import { readResponse, type ReceivedResponse } from "./read-response.ts";
import { RawClient, request } from "./raw-client.ts";

const { bootText } = bootWith([]);

export interface HttpsSite extends AsyncDisposable {
  readonly stage: Stage;
  /** The error log. */
  readonly log: readonly string[];
  /** Of the server with that name. */
  port(server?: string): number;
  /**
   * By TLS; the authority of the process is trusted unless the options say otherwise. Rejects when the handshake fails.
   */
  connect(options?: tls.ConnectionOptions): Promise<RawClient>;
  /** One request on a connection of its own; `host` is the server name unless the options have another. */
  ask(host: string, options?: tls.ConnectionOptions): Promise<ReceivedResponse>;
  /** The names in the certificate that a client is shown. */
  shownTo(options: tls.ConnectionOptions): Promise<string | undefined>;
}

/** `text` is what stands in the stage; the server that is asked is `httpxServer "main"`. */
export async function serveHttps(text: string): Promise<HttpsSite> {
  const sink = new MemorySink();
  const stage = await bootText(`stage { ${text} }`, { log: openErrorLog({ level: "debug", sink }) });
  await stage.start();
  const ca = (await testAuthority()).cert;
  const site: HttpsSite = {
    stage,
    log: sink.lines,
    port(server = "main") {
      const { listensOn }: ServerPart = stage.find(`httpxServer.${server}`)?.part ?? {};
      return Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
    },
    connect: (options) => RawClient.connect({ port: site.port(), host: "127.0.0.1" }, { ca, ...options }),
    async ask(host, options) {
      await using client = await site.connect({ servername: host, ...options });
      return await readResponse(client.send(request("GET /", { host })));
    },
    async shownTo(options) {
      await using client = await site.connect({ rejectUnauthorized: false, ...options });
      const { socket } = client;
      return socket instanceof tls.TLSSocket ? socket.getPeerX509Certificate()?.subjectAltName : undefined;
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
  return site;
}

/** What comes back for bytes that are sent as they are, up to the end of the connection. */
export async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  if (bytes !== "") socket.write(bytes, "latin1");
  await once(socket, "close");
  return answer;
}

/** The answer to a request whose first TLS message comes in two packets, the first one of `size` bytes. */
export async function answerInPieces(port: number, size: number, servername = "a.example"): Promise<string> {
  const beneath = net.connect({ port, host: "127.0.0.1", noDelay: true });
  let isFirst = true;
  const split = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (!isFirst) return void beneath.write(chunk, done);
      isFirst = false;
      // Two turns of the event loop later the server, in this process, has read the first one.
      const sendRest = () => void beneath.write(chunk.subarray(size), done);
      beneath.write(chunk.subarray(0, size), () => setImmediate(() => setImmediate(sendRest)));
    },
    final: (done) => void beneath.end(done),
  });
  beneath.on("data", (chunk: Buffer) => split.push(chunk)).on("end", () => split.push(null));
  const socket = tls.connect({ socket: split, servername, ca: (await testAuthority()).cert });
  socket.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`);
  const answer = Buffer.concat(await socket.toArray()).toString();
  beneath.destroy();
  return answer;
}

/** Makes one request, and gives the session with which another connection can go on. */
export async function sessionOf(
  port: number,
  options: tls.ConnectionOptions,
): Promise<{ readonly session: Buffer; readonly isReused: boolean }> {
  const socket = tls.connect({ port, host: "127.0.0.1", ca: (await testAuthority()).cert, ...noName, ...options });
  const session = new Promise<Buffer>((resolve) => socket.on("session", resolve));
  await once(socket, "secureConnect");
  const isReused = socket.isSessionReused();
  socket.write(request("GET /", { connection: "close" }));
  await socket.toArray();
  // By TLS 1.2, who goes on with a session gets no new one.
  return { session: isReused ? Buffer.alloc(0) : await session, isReused };
}

/** The test's certificates are not for the address. */
const noName = { checkServerIdentity: () => undefined };
