// The example as its README says, with servers behind it that tell what came to them.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTLS, createServer as createTLSServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bootFile, MemorySink, openErrorLog, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const stack = new AsyncDisposableStack();
let stage: Stage;
let ca: Buffer;

/** Answers the first bytes of each client with its name, and ends. */
function serve(name: string): Promise<string> {
  return listen(
    createServer((socket) => {
      socket.on("error", () => {}).once("data", () => socket.end(name));
    }),
  );
}

/** The port that it gets. */
async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void server.close());
  return String((server.address() as AddressInfo).port);
}

beforeAll(async () => {
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-one-port-")));
  const [, command = ""] = /^(openssl req .*)$/m.exec(await readFile(join(here, "README.md"), "utf8")) ?? [];
  await promisify(execFile)("sh", ["-c", command], { cwd: folder.path });
  ca = await readFile(join(folder.path, "cert.pem"));
  const key = await readFile(join(folder.path, "key.pem"));
  const mail = createTLSServer({ cert: ca, key }, (socket) => socket.on("error", () => {}).end("mail"));
  const env = {
    PORT: "0",
    SSH_PORT: await serve("ssh"),
    DATABASE_PORT: await serve("database"),
    MAIL_PORT: await listen(mail),
  };
  const options = { baseDir: folder.path, env, log: openErrorLog({ sink: new MemorySink() }) };
  stage = stack.use(await bootFile(join(here, "one-port.conf"), options));
  await stage.examine();
  await stage.start();
});

afterAll(() => stack.disposeAsync());

function port(): number {
  const { listensOn = [] } = (stage.find("tcpsRouter.door")?.part ?? {}) as { listensOn?: readonly string[] };
  return Number(listensOn[0]?.split(":").at(-1));
}

async function answerTo(bytes: Buffer | string): Promise<string> {
  const socket = connect(port(), "127.0.0.1");
  socket.write(bytes);
  return await text(socket);
}

test("HTTPS is served by the web server, which knows the client", async () => {
  const request = get({ port: port(), host: "localhost", ca, agent: false });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
  });
  expect(await text(answer)).toBe("hello, 127.0.0.1!");
});

test("SSH and PostgreSQL go to their servers", async () => {
  expect(await answerTo("SSH-2.0-OpenSSH_9.2\r\n")).toBe("ssh");
  expect(await answerTo(Buffer.from("0000000804d2162f", "hex"))).toBe("database");
});

test("TLS for another name is passed on unopened: its server makes the handshake", async () => {
  const options = { port: port(), host: "127.0.0.1", servername: "mail.example", ca };
  const socket = connectTLS({ ...options, checkServerIdentity: () => undefined });
  expect(await text(socket)).toBe("mail");
});

test("what no case takes is closed", async () => {
  expect(await answerTo("EHLO a.example\r\n")).toBe("");
});
