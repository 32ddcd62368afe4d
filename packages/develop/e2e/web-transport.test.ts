// WebTransport with Chromium: sessions, streams of both sides, datagrams, and their ends.

import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import contrib, { acceptWebTransport, isWebTransport, webTransportProps, type SessionEnd } from "@hemi/contrib-quic";
import { bootText, defineSocklet, pack, type Stage } from "@hemi/hemi";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { peer } from "../src/peers.ts";

/** How the sessions have ended. */
const ends: SessionEnd[] = [];

/** Sends back what comes, and opens a stream of each kind by itself. */
const echo = defineSocklet({
  sign: "echoTransport",
  props: { ...webTransportProps },
  create: ({ props }) => ({
    handle(upgrade) {
      if (!isWebTransport(upgrade)) return false;
      const session = acceptWebTransport(upgrade, {
        settings: props,
        stream(stream) {
          if (stream.isBidirectional) stream.pipe(stream);
          else {
            let size = 0;
            stream.on("data", (bytes: Buffer) => (size += bytes.length));
            stream.on("end", () => session.openUniStream()?.end(`${size} bytes`));
          }
        },
        datagram(bytes) {
          if (bytes.toString() === "close") session.close(7, "as you like");
          else session.sendDatagram(bytes);
        },
        closed: (end) => void ends.push(end),
      });
      const greeting = session.openStream();
      greeting?.write("who are you?");
      greeting?.once("data", (name: Buffer) => greeting.end(`hello, ${name.toString()}`));
      return true;
    },
  }),
});

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let stage: Stage | undefined;
/** The SHA-256 of the certificate. */
let hash: readonly number[] = [];

beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-web-transport-"));
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost -keyout site.key -out site.crt";
  await promisify(execFile)("openssl", request.split(" "), { cwd: folder.path });
  const { raw } = new X509Certificate(await readFile(join(folder.path, "site.crt")));
  hash = [...createHash("sha256").update(raw).digest()];
  stage = await bootText(
    `stage {
      webapp "site" {
        .hostnames = ("*")
        .tlsCert = ("${folder.path}/site.crt") .tlsKey = ("${folder.path}/site.key")
        rule $path == "/echo" { echoTransport { .origins = ("*") } }
        rule $path == "/closed" { echoTransport {} }
        rule $path == "/" { .returnText = "page" }
      }
      http3Server "quic" { .webapps = ("site") .address = "127.0.0.1:0" }
      httpxServer "page" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { use: [contrib, pack("web-transport", [echo])] },
  );
  await stage.start();
});

afterAll(async () => {
  await stage?.quit(1000);
  await folder[Symbol.asyncDispose]();
});

function portOf(name: string): string {
  const { listensOn = [] } = (stage?.find(name)?.part ?? {}) as { listensOn?: readonly string[] };
  return listensOn[0]?.split(":").at(-1) ?? "";
}

/** Runs a script in the page, with a session to a path as `transport`. */
async function inSession(page: Page, path: string, script: string): Promise<unknown> {
  const options = `{ serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.of(${hash.join()}) }] }`;
  return await page.evaluate(`(async () => {
    const transport = new WebTransport("https://localhost:${portOf("http3Server.quic")}${path}", ${options});
    const textOf = async (readable) => {
      let text = "";
      for await (const bytes of readable) text += new TextDecoder().decode(bytes);
      return text;
    };
    const send = async (writable, data) => {
      const writer = writable.getWriter();
      await writer.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
      await writer.close();
    };
    ${script}
  })()`);
}

test("Chromium opens a session, with streams of both sides and datagrams, and either side closes it", async (context) => {
  const browser = await launchChromium(peer("chromium", context), ["--host-resolver-rules=MAP localhost 127.0.0.1"]);
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${portOf("httpxServer.page")}/`);
    const got = await inSession(
      page,
      "/echo",
      `await transport.ready;
      const greeting = (await transport.incomingBidirectionalStreams.getReader().read()).value;
      const reader = greeting.readable.getReader();
      const question = new TextDecoder().decode((await reader.read()).value);
      reader.releaseLock();
      await send(greeting.writable, "Chromium");
      const answer = await textOf(greeting.readable);

      const both = await transport.createBidirectionalStream();
      const [, echoed] = await Promise.all([send(both.writable, new Uint8Array(1_000_000)), textOf(both.readable)]);

      await send(await transport.createUnidirectionalStream(), new Uint8Array(300_000));
      const counted = await textOf((await transport.incomingUnidirectionalStreams.getReader().read()).value);

      const datagrams = transport.datagrams.writable.getWriter();
      const incoming = transport.datagrams.readable.getReader();
      // A datagram may get lost on a busy machine.
      const sendUntil = async (answered, text) => {
        const timer = setInterval(() => datagrams.write(new TextEncoder().encode(text)).catch(() => {}), 100);
        return await answered.finally(() => clearInterval(timer));
      };
      const datagram = new TextDecoder().decode((await sendUntil(incoming.read(), "a datagram")).value);

      const { closeCode, reason } = await sendUntil(transport.closed, "close");
      return { question, answer, echoed: echoed.length, counted, datagram, closeCode, reason };`,
    );
    expect(got).toEqual({
      question: "who are you?",
      answer: "hello, Chromium",
      echoed: 1_000_000,
      counted: "300000 bytes",
      datagram: "a datagram",
      closeCode: 7,
      reason: "as you like",
    });
    await inSession(page, "/echo", 'await transport.ready; transport.close({ closeCode: 9, reason: "bye" });');
    await expect
      .poll(() => ends)
      .toEqual([
        { code: 7, reason: "as you like", isClean: true },
        { code: 9, reason: "bye", isClean: true },
      ]);
    const refused = await inSession(page, "/closed", "return await transport.ready.then(() => 1, () => 0);");
    expect(refused).toBe(0);
  } finally {
    await browser.close();
  }
}, 60_000);
