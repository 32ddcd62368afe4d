// Datagrams through a udpsRouter, with a real server of DNS and a real client.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bootText, type Stage } from "@hemi/hemi";
import { expect, test } from "vitest";
import { freePort, startPeer } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);

test("dig asks dnsmasq through udpsProxy, and through tcpsProxy for long answers", async (context) => {
  const dig = peer("dig", context);
  const dnsmasq = peer("dnsmasq", context);
  const port = await freePort();
  const long = Array.from({ length: 20 }, (_, i) => `--txt-record=long.example,${String(i).repeat(100).slice(0, 100)}`);
  const options = ["--no-daemon", "--no-hosts", "--no-resolv", "--bind-interfaces", "--listen-address=127.0.0.1"];
  await using _server = await startPeer(
    dnsmasq,
    [...options, `--port=${port}`, "--user=root", "--address=/a.example/192.0.2.7", ...long],
    port,
  );
  const own = await freePort();
  const stage: Stage = await bootText(`stage {
    udpsBackend "dns" { .nodes = (["address": "127.0.0.1:${port}"]) .healthCheck = "dns" }
    tcpsBackend "dnsOverTcp" { .nodes = (["address": "127.0.0.1:${port}"]) }
    udpsRouter "dns" {
      .address = "127.0.0.1:${own}"
      case $protocol == "dns" { udpsProxy { .toBackend = "dns" .expectedAnswers = 1 } }
    }
    tcpsRouter "dnsOverTcp" {
      .address = "127.0.0.1:${own}"
      case $protocol == "dns" { tcpsProxy { .toBackend = "dnsOverTcp" } }
    }
  }`);
  await stage.start();
  try {
    const ask = async (...args: string[]) =>
      (await run(dig, ["@127.0.0.1", "-p", String(own), "+short", "+tries=1", ...args])).stdout;
    expect(await ask("a.example")).toBe("192.0.2.7\n");
    // The datagram is cut short, so that dig asks again over TCP.
    expect((await ask("+bufsize=512", "long.example", "TXT")).split("\n")).toHaveLength(21);
  } finally {
    await stage.quit(1000);
  }
});
