// What a dealet throws while it has a connection.

import { readFile } from "node:fs/promises";
import { createSecureContext, type ConnectionOptions, type SecureContext } from "node:tls";
import { expect, test } from "vitest";
import { pack } from "../../component/pack.ts";
import type { LinkUser } from "../../net/link.ts";
import { certificateFolder } from "../../testing/certificates.ts";
import { named, route, router, to } from "../../testing/route.ts";
import { Uncaught } from "../../testing/uncaught.ts";
import { defineDealet, type DealetPart } from "../kinds.ts";
import { tcpsDealet, type TcpsConn, type TcpsDealet } from "./dealet.ts";
import { SecurePipe } from "./secure-pipe.ts";
import type { TcpsBackend } from "./tcps-backend.ts";
import type { DialUser, DialWish } from "./node-link.ts";

const mistaken: LinkUser = {
  received() {
    throw new Error("a mistake");
  },
  ended() {},
  drained() {},
  closed() {},
};

/** The lines of the log about a connection that `take` has. */
async function linesOf(take: (conn: TcpsConn) => void, condition = "", secure?: ConnectionOptions) {
  const dealet = defineDealet({
    sign: "mistakenDealet",
    props: {},
    offers: [tcpsDealet],
    create: (): DealetPart & TcpsDealet => ({
      takeConn(conn) {
        take(conn);
        return true;
      },
    }),
  });
  await using site = await route(router(`case ${condition} { mistakenDealet {} }`), { use: [pack("test", [dealet])] });
  await using client = await site.connect(secure);
  client.send("hello");
  if (secure === undefined) client.end();
  await client.ending();
  await expect.poll(() => site.log.join("\n")).toContain("its connection was ended");
  return site.log.filter((line) => line.includes("client"));
}

function beginWithTls(conn: TcpsConn, context: SecureContext): void {
  const pipe = new SecurePipe(conn.link, context, mistaken, () => conn.close("refused"));
  conn.begin({
    received: (bytes) => pipe.received(bytes),
    ended: () => pipe.ended(),
    drained: () => pipe.drained(),
    closed: () => pipe.closed(),
  });
}

const errorOfDealet =
  /error.*tcpsRouter\.main\/case\/mistakenDealet.*failed at client 127\.0\.0\.1 port \d+.*a mistake/s;

test("what a dealet throws is an error in the log with its path, once, and no end by the client", async () => {
  const lines = await linesOf((conn) => conn.begin(mistaken));
  expect(lines).toEqual([expect.stringMatching(errorOfDealet), expect.stringContaining("was ended: error")]);
});

test.each<[string, Partial<LinkUser>]>([
  ["received", { received: () => Promise.reject(new Error("a mistake")) }],
  ["ended", { received() {}, ended: () => Promise.reject(new Error("a mistake")) }],
])("the same holds for what the promise of an async `%s` rejects with", async (_, methods) => {
  using uncaught = new Uncaught();
  const lines = await linesOf((conn) => conn.begin({ ...mistaken, ...methods }));
  expect(lines).toEqual([expect.stringMatching(errorOfDealet), expect.stringContaining("was ended: error")]);
  expect(uncaught.errors).toEqual([]);
});

test("the same holds for what was received before the dealet began, whenever that is", async () => {
  const begin = (conn: TcpsConn) => void setImmediate(() => conn.begin(mistaken));
  const lines = await linesOf(begin, '$protocol != "ssh"');
  expect(lines).toEqual([expect.stringMatching(errorOfDealet), expect.stringContaining("was ended: error")]);
});

test("the same holds within TLS that the client has asked for", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("a", { names: ["a.example"] });
  const context = createSecureContext({ cert: await readFile(tlsCert), key: await readFile(tlsKey) });
  const lines = await linesOf((conn) => beginWithTls(conn, context), "", { rejectUnauthorized: false });
  expect(lines).toEqual([expect.stringMatching(errorOfDealet), expect.stringContaining("was ended: error")]);
});

test.each<[string, Partial<DialUser>, boolean]>([
  ["an async `connected`", { connected: () => Promise.reject(new Error("a mistake")) }, true],
  ["an async `failed`", { failed: () => Promise.reject(new Error("a mistake")) }, false],
])(
  "what %s of a dealet rejects with is told with the node, and does not end the process",
  async (_, methods, isThere) => {
    using uncaught = new Uncaught();
    await using node = await named("n");
    if (!isThere) await node[Symbol.asyncDispose]();
    await using site = await route(to("n", node));
    const backend = site.stage.find("tcpsBackend.n")?.part as unknown as TcpsBackend;
    const at = { address: "127.0.0.1", port: 1 };
    const wish: DialWish = {
      key: "",
      stickTo: "",
      tried: [],
      to: at,
      about: { serverName: "", nextProto: "", tls: undefined },
    };
    const user: DialUser = { connected() {}, failed() {}, nodeDown() {}, ...methods };
    backend.dial(wish, user);
    await expect.poll(() => site.log.join("\n")).toMatch(/error.*failed at node 127.*a mistake/s);
    expect(uncaught.errors).toEqual([]);
  },
);
