// A proxy before a server at a port of this machine.

import { connect } from "node:net";
import { bootWith, MemorySink, openErrorLog, type Metrics, type RouterPart, type Workers } from "@hemi/internal";
import contrib from "../index.ts";
import { RawClient } from "./raw-client.ts";

/** The user `ann`, who has one password for the proxy and another one for the server. */
export const ann = '.users = (["name": "ann", "password": "of-the-user", "serverPassword": "of-the-server"])';

export interface Around {
  /** Further nodes of the backend. */
  readonly nodes?: string;
  /** Props of the backend. */
  readonly backend?: string;
  readonly backends?: string;
  /** Props of the router. */
  readonly router?: string;
  readonly workers?: Workers;
  readonly metrics?: Metrics;
}

export async function proxy(port: number, props = "", users = ann, around: Around = {}) {
  const { nodes = "", backend = "", backends = "", router = "", ...options } = around;
  const sink = new MemorySink();
  const config = (more: string) => `stage {
    tcpsBackend "db" { .nodes = (["address": "127.0.0.1:${port}"]${nodes}) ${backend} }
    ${backends}
    tcpsRouter "main" {
      .address = "127.0.0.1:0"
      ${router}
      case { pgsqlProxy { .toBackend = "db" ${users} ${more} } }
    }
  }`;
  const stage = await bootWith([contrib]).bootText(config(props), { log: openErrorLog({ sink }), ...options });
  await stage.start();
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const own = Number(address.split(":")[1]);
  return {
    stage,
    log: sink.lines,
    /** With other props of the proxy. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    client: (): RawClient => new RawClient(connect({ port: own, host: "127.0.0.1", noDelay: true })),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}
