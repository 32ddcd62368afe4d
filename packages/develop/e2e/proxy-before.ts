// A reverse proxy before one server, and curl to ask it.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import quic from "@hemi/contrib-quic";
import { bootObject, type ServerPart } from "@hemi/hemi";

export interface Proxy extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly url: string;
}

/** `settings`: props of the backend, beside its only node. */
export async function proxyBefore(
  port: number,
  backend: "http1Backend" | "http2Backend" | "http3Backend",
  settings: Readonly<Record<string, string | number | boolean>> = {},
): Promise<Proxy> {
  const config = {
    sign: "stage",
    children: [
      { sign: backend, name: "app", props: { nodes: [{ address: `127.0.0.1:${port}` }], ...settings } },
      { sign: "httpxServer", name: "main", props: { webapps: ["all"], address: "127.0.0.1:0" } },
      {
        sign: "webapp",
        name: "all",
        props: { hostnames: ["*"] },
        children: [
          {
            sign: "rule",
            props: { maxContentSize: "16M" },
            children: [{ sign: "httpProxy", props: { toBackend: "app" } }],
          },
        ],
      },
    ],
  };
  const stage = await bootObject(config, { use: [quic] });
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return {
    address,
    url: `http://${address}`,
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
    },
  };
}

/** What curl writes to its standard output. Rejects if it fails. */
export async function curl(program: string, ...args: string[]): Promise<Buffer> {
  const options = { encoding: "buffer", maxBuffer: 64 * 1024 * 1024 } as const;
  return (await promisify(execFile)(program, ["-sS", ...args], options)).stdout;
}
