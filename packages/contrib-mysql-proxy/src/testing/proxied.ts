// A proxy before a server at a port of this machine.

import { bootWith, MemorySink, openErrorLog, type Metrics, type RouterPart, type Workers } from "@hemi/internal";
import contrib from "../index.ts";
import { RawClient } from "./raw-client.ts";

/** The user `ann`, whose password the proxy knows. */
export const known = '.users = (["name": "ann", "password": "geheim", "databases": ("shop")])';

export interface Around {
  /** Props of the router. */
  readonly router?: string;
  readonly workers?: Workers;
  readonly metrics?: Metrics;
}

/** `more`: further backends. */
export async function proxy(server: { readonly port: number }, props = "", more = "", around: Around = {}) {
  const { router = "", ...options } = around;
  const sink = new MemorySink();
  const config = (props: string) => `stage {
    tcpsBackend "db" { .nodes = (["address": "127.0.0.1:${server.port}"]) .maxFails = 0 }
    ${more}
    tcpsRouter "main" { .address = "127.0.0.1:0" ${router} case { mysqlProxy { .toBackend = "db" ${props} } } }
  }`;
  const stage = await bootWith([contrib]).bootText(config(props), { log: openErrorLog({ sink }), ...options });
  await stage.start();
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const port = Number(address.split(":")[1]);
  return {
    stage,
    port,
    log: sink.lines,
    /** With other props of the proxy. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    client: () => new RawClient(port),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

/** The backend of replicas. */
export const replicas = ({ port }: { readonly port: number }) =>
  `tcpsBackend "replicas" { .nodes = (["address": "127.0.0.1:${port}"]) .maxFails = 0 }`;

/** The code of a query. */
export const query = 3;
