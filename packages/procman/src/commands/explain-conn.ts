// `hemi explain tcp`, `udp` and `quic`: describes what routers would do with a connection, and why.

import { bootFile, connWalkText, HemiError, MemorySink, openErrorLog, parseAddress, type AskedConn } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { loadPacks } from "../load-packs.ts";
import { textOptions } from "../text-options.ts";

export async function explainConn(line: CommandLine, protocol: AskedConn["protocol"]): Promise<ExitCode> {
  const [, from = line.from, ...others] = line.rest;
  const usage = `explain ${protocol} takes the client's address: hemi explain ${protocol} 10.0.0.1:5000 --to :443`;
  if (others.length > 0) throw new HemiError("HEMI_USAGE", usage);
  const asked = {
    protocol,
    ...(from !== undefined && { from: clientOf(from, usage) }),
    ...(line.to !== undefined && { to: endpointOf(line.to, "--to takes an address such as :443 or 10.0.0.1:443") }),
    serverName: line.sni,
    nextProto: line.alpn,
    bytes: bytesOf(line.bytes),
  };
  const use = await loadPacks(line.use);
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootFile(line.config, { baseDir: line.base, use, log });
  try {
    const walk = await stage.explainConn(asked);
    const text = line.isJSON ? `${JSON.stringify(walk, undefined, 2)}\n` : connWalkText(walk, textOptions());
    process.stdout.write(text);
    return walk.outcome.type === "closed" ? exitCodes.notTaken : exitCodes.fine;
  } finally {
    await stage.quit();
  }
}

/** The port of a client may be left out. */
function clientOf(text: string, usage: string): ReturnType<typeof endpointOf> {
  const hasPort = /^[^:]*:\d+$|\]:\d+$/.test(text);
  const isBareIPv6 = !hasPort && text.includes(":") && !text.startsWith("[");
  return endpointOf(hasPort ? text : `${isBareIPv6 ? `[${text}]` : text}:0`, usage);
}

function endpointOf(text: string, usage: string): { readonly address: string; readonly port: number } {
  const address = parseAddress(text);
  if (address === undefined || "path" in address) throw new HemiError("HEMI_USAGE", `${usage}, not ${text}`);
  return { address: address.host, port: address.port };
}

/** `\r`, `\n` and `\x00` stand for bytes. */
function bytesOf(text: string): Buffer {
  const replaced = text.replace(/\\(?:x([0-9a-f]{2})|([rn\\]))/gi, (_, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return letter === "r" ? "\r" : letter === "n" ? "\n" : "\\";
  });
  return Buffer.from(replaced, "latin1");
}
