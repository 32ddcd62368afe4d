import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtempDisposable, readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bootFile, MemorySink, openErrorLog, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const stack = new AsyncDisposableStack();
let stage: Stage;
let ca: Buffer;

beforeAll(async () => {
  // A copy, because the checkout is not to be written to.
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-https-")));
  await cp(join(here, "web"), join(folder.path, "web"), { recursive: true });
  const readme = await readFile(join(here, "README.md"), "utf8");
  const [, command = ""] = /^(openssl .*)$/m.exec(readme) ?? [];
  await promisify(execFile)("sh", ["-c", command], { cwd: folder.path });
  ca = await readFile(join(folder.path, "cert.pem"));
  const log = openErrorLog({ sink: new MemorySink() });
  const env = { HTTPS_PORT: "0", HTTP_PORT: "0" };
  const options = { baseDir: folder.path, env, log };
  stage = stack.use(await bootFile(join(here, "https.conf"), options));
  await stage.examine();
  await stage.start();
});

afterAll(() => stack.disposeAsync());

function portOf(server: string): number {
  const { listensOn = [] } = (stage.find(`httpxServer.${server}`)?.part ?? {}) as { listensOn?: readonly string[] };
  return Number(listensOn[0]?.split(":").at(-1));
}

test("the page comes by HTTPS, to those who trust the certificate", async () => {
  const req = request({ port: portOf("https"), host: "127.0.0.1", servername: "localhost", ca }).end();
  const [answer] = (await once(req, "response")) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  expect(Buffer.concat((await answer.toArray()) as Buffer[]).toString()).toContain("This came by HTTPS.");
});

test("the page comes by HTTP/2, too", async () => {
  const session = connect(`https://127.0.0.1:${portOf("https")}`, { ca });
  const stream = session.request({ ":path": "/" });
  const [head] = (await once(stream, "response")) as [Record<string, unknown>];
  expect(head[":status"]).toBe(200);
  stream.resume();
  session.close();
});

test("plain HTTP sends browsers to HTTPS", async () => {
  const answer = await stage.inject({ url: "http://localhost/a?b" }, { into: "http" });
  expect(answer.status).toBe(308);
  expect(answer.headers["location"]).toMatch(/^https:\/\/localhost:3443\/a\?b$/);
});
