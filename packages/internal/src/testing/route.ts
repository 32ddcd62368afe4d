// For tests: a running tcpsRouter, with nodes and a web server behind it.

import type { ConnectionOptions } from "node:tls";
import { bootWith } from "../boot.ts";
import type { RouterPart } from "../layer4/kinds.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { BootOptions } from "../stage/boot.ts";
import { RawBackend } from "./raw-backend.ts";
import { RawClient } from "./raw-client.ts";

/** A stage with the router `router.main`; `text` is what stands in the stage. */
export async function route(text: string, options: Pick<BootOptions, "use"> = {}) {
  const sink = new MemorySink();
  const stage = await bootWith([]).bootText(`stage { ${text} }`, {
    log: openErrorLog({ level: "debug", sink }),
    ...options,
  });
  await stage.start();
  const { listensOn }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
  return {
    stage,
    log: sink.lines,
    connect: (secure?: ConnectionOptions) => RawClient.connect({ port, host: "127.0.0.1" }, secure),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

export const router = (cases: string, props = "") => `tcpsRouter "main" { .address = "127.0.0.1:0" ${props} ${cases} }`;
export const to = (name: string, { address }: RawBackend, props = "") =>
  `tcpsBackend "${name}" { .nodes = (["address": "${address}"]) ${props} }`;

/** Says its name to everyone, then echoes. */
export const named = (name: string) =>
  RawBackend.listen(async (conn) => {
    conn.socket.write(`${name}:`);
    conn.socket.on("data", (bytes: Buffer) => conn.socket.write(bytes)).on("end", () => conn.socket.end());
  });

/** A web server named `w`. */
export const web = (props = "", webapp = "") =>
  `webapp "all" { .hostnames = ("*") ${webapp} rule { .returnText = $scheme + " " + $srcPort } }
   httpxServer "w" { .webapps = ("all") .address = "127.0.0.1:0" ${props} }`;
