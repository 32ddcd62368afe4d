// For tests: a server with a socklet, and clients that speak frames byte by byte.

import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { Stage } from "../stage.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineSocklet, type SockletPart } from "../web/kinds.ts";
import { RawClient, request } from "./raw-client.ts";
import type { Upgrade } from "../web/websocket/upgrade.ts";
import { webSocketProps, type WebSocketSettings } from "../web/websocket/websocket-props.ts";

export interface SockletServer extends AsyncDisposable {
  readonly stage: Stage;
  readonly url: string;
  /** The lines of the error log. */
  readonly log: readonly string[];
  connect(): Promise<RawClient>;
  /** A client whose WebSocket is open; `fields` are added to its handshake. */
  open(fields?: Readonly<Record<string, string>>): Promise<RawClient>;
}

/** The handshake of RFC 6455 1.3. */
export const handshake = (fields: Readonly<Record<string, string>> = {}): string =>
  request("GET /", {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...fields,
  });

/** Serves by a socklet; `settings` are its props, in the words of the configuration, and `rule` stands behind it. */
export async function serveSocklet(
  handle: (upgrade: Upgrade, settings: WebSocketSettings) => ReturnType<SockletPart["handle"]>,
  { settings = "", rule = "" }: { settings?: string; rule?: string } = {},
): Promise<SockletServer> {
  const socklet = defineSocklet({
    sign: "socklet",
    props: webSocketProps,
    create: ({ props }) => ({ handle: (upgrade) => handle(upgrade, props) }),
  });
  const sink = new MemorySink();
  const text = `stage {
    webapp "app" { .hostnames = ("*") rule { socklet { ${settings} } ${rule} } }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  const log = openErrorLog({ level: "debug", sink });
  const stage = await bootWith([]).bootText(text, { log, use: [pack("test", [socklet])] });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const clients: RawClient[] = [];
  const server: SockletServer = {
    stage,
    url: `ws://${listensOn}/`,
    log: sink.lines,
    async connect() {
      const client = await RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.split(":")[1]) });
      clients.push(client);
      return client;
    },
    async open(fields) {
      const client = await server.connect();
      await client.send(handshake(fields)).through("\r\n\r\n");
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
      await stage.quit(1000);
    },
  };
  return server;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/**
 * A frame as clients send it, with a mask of zeros; `bits` are those of the first byte beside its opcode, FIN by
 * default.
 */
export function webSocketFrame(opcode: number, content: string | Uint8Array = "", bits = 0x80): Buffer {
  const bytes = Buffer.from(content);
  const { length } = bytes;
  const size =
    length < 126
      ? Buffer.from([0x80 | length])
      : length < 65_536
        ? Buffer.from([0x80 | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([0x80 | 127, 0, 0, 0, 0]), uint32(length)]);
  return Buffer.concat([Buffer.from([bits | opcode]), size, Buffer.alloc(4), bytes]);
}

/** What a close frame holds. */
export function closing(code: number, reason = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

/** The next frame of the server: opcode and content. */
export async function nextFrame(client: RawClient): Promise<readonly [opcode: number, content: string]> {
  const [first = 0, length = 0] = await client.exactly(2);
  const size =
    length === 126
      ? (await client.exactly(2)).readUInt16BE()
      : length === 127
        ? Number((await client.exactly(8)).readBigUInt64BE())
        : length;
  return [first & 15, (await client.exactly(size)).toString("latin1")];
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
