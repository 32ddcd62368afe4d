// The PROXY protocol as others speak it: haproxy in front of a server, in both versions, and curl.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bootText, type ServerPart } from "@hemi/hemi";
import { expect, test } from "vitest";
import { freePort } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

/** Answers with the address of the client. */
async function serverBehindProxies(): Promise<{ address: string } & AsyncDisposable> {
  const stage = await bootText(
    `stage {
      webapp "all" {
        .hostnames = ("*")
        rule { .returnText = "client " + $srcHost + ", port " + $srcPort }
      }
      httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" .proxyProtocol = ("127.0.0.0/8") }
    }`,
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return {
    address,
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
    },
  };
}

test("curl names itself", async (context) => {
  const curl = peer("curl", context);
  await using server = await serverBehindProxies();
  const { stdout } = await promisify(execFile)(curl, ["-sS", "--haproxy-protocol", `http://${server.address}/`]);
  expect(stdout).toMatch(/^client 127\.0\.0\.1, port \d+$/);
});

test.for(["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])(
  "haproxy names its client by %s",
  async (option, context) => {
    const haproxy = peer("haproxy", context);
    await using server = await serverBehindProxies();
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-haproxy-"));
    const port = await freePort();
    const conf = join(folder.path, "haproxy.cfg");
    await writeFile(
      conf,
      `defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen all
  bind 127.0.0.1:${port}
  server hemi ${server.address} ${option}
`,
    );
    const child = spawn(haproxy, ["-db", "-q", "-f", conf], { stdio: "ignore" });
    try {
      await expect.poll(() => ask(port).catch(() => undefined)).toBeDefined();
      const { localPort, answer } = await ask(port);
      expect(answer).toMatch(new RegExp(`\\r\\n\\r\\nclient 127\\.0\\.0\\.1, port ${localPort}$`));
    } finally {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    }
  },
);

/** One request; rejects where nothing listens. */
async function ask(port: number): Promise<{ localPort: number | undefined; answer: string }> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const { localPort } = socket;
  socket.write("GET / HTTP/1.1\r\nhost: test.example\r\nconnection: close\r\n\r\n");
  const pieces: Buffer[] = [];
  for await (const piece of socket) if (piece instanceof Buffer) pieces.push(piece);
  return { localPort, answer: Buffer.concat(pieces).toString() };
}
