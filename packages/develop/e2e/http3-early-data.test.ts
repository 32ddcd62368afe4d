// Early data (0-RTT) with the client of ngtcp2, and what becomes of it when someone who has seen it sends it again.

import { execFile } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import contrib from "@hemi/contrib-quic";
import { bootText, defineHandlet, pack } from "@hemi/hemi";
import { expect, test } from "vitest";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);

/** Stands between a client and a server, and keeps what the client sends. */
class Recorder implements AsyncDisposable {
  readonly sent: Buffer[] = [];
  readonly #front: Socket;
  readonly #back: Socket;

  private constructor(front: Socket, back: Socket) {
    this.#front = front;
    this.#back = back;
    let client = 0;
    front.on("message", (datagram, { port }) => {
      client = port;
      this.sent.push(datagram);
      back.send(datagram);
    });
    back.on("message", (datagram) => front.send(datagram, client, "127.0.0.1"));
  }

  static async before(port: number): Promise<Recorder> {
    const [front, back] = [createSocket("udp4"), createSocket("udp4")];
    back.connect(port, "127.0.0.1");
    front.bind(0, "127.0.0.1");
    await Promise.all([once(back, "connect"), once(front, "listening")]);
    return new Recorder(front, back);
  }

  get port(): number {
    return this.#front.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#front[Symbol.asyncDispose](), this.#back[Symbol.asyncDispose]()]);
  }
}

test("early data is served to ngtcp2 if it is safe, and a replay of it does nothing that is not", async (context) => {
  const gtlsclient = peer("gtlsclient", context);
  peer("openssl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-early-data-"));
  const certificate =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost -keyout site.key -out site.crt";
  await run("openssl", certificate.split(" "), { cwd: folder.path });
  const served: string[] = [];
  const note = defineHandlet({
    sign: "note",
    create: () => ({
      handle(req, resp) {
        served.push(`${req.method} ${req.header("early-data") ?? "none"}`);
        resp.send("noted");
        return true;
      },
    }),
  });
  await using stage = await bootText(
    `stage {
      webapp "site" {
        .hostnames = ("*") .tlsCert = ("${folder.path}/site.crt") .tlsKey = ("${folder.path}/site.key")
        rule { note {} }
      }
      http3Server "quic" { .webapps = ("site") .address = "127.0.0.1:0" .earlyData = true }
    }`,
    { use: [contrib, pack("early-data", [note])] },
  );
  await stage.start();
  const { listensOn = [] } = (stage.find("http3Server.quic")?.part ?? {}) as { listensOn?: readonly string[] };
  const port = Number(listensOn[0]?.split(":").at(-1));
  const askAt = async (at: number, method: string): Promise<string> => {
    const session = ["--session-file=session", "--tp-file=parameters", "--exit-on-all-streams-close"];
    const url = `https://localhost:${at}/`;
    const args = [...session, `--http-method=${method}`, "--no-quic-dump", "localhost", String(at), url];
    const { stdout, stderr } = await run(gtlsclient, args, { cwd: folder.path });
    return stdout + stderr;
  };
  await askAt(port, "GET");
  expect(served).toEqual(["GET none"]);

  await using safe = await Recorder.before(port);
  expect(await askAt(safe.port, "GET")).toContain("[:status: 200]");
  expect(served).toEqual(["GET none", "GET 1"]);

  await using unsafe = await Recorder.before(port);
  expect(await askAt(unsafe.port, "POST")).toContain("[:status: 425]");

  await using attacker = createSocket("udp4");
  attacker.connect(port, "127.0.0.1");
  await once(attacker, "connect");
  const replay = (datagrams: readonly Buffer[]): void => {
    for (const datagram of datagrams) attacker.send(datagram);
  };
  // The server knows the connection IDs until the connections are over.
  await expect
    .poll(() => {
      replay(unsafe.sent);
      replay(safe.sent);
      return served.length;
    })
    .toBeGreaterThan(2);
  expect(served.slice(2).every((request) => request === "GET 1")).toBe(true);
  expect(await readFile(join(folder.path, "session"), "utf8")).not.toBe("");
});
