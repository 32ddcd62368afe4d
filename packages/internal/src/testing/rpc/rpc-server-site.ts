// For tests: a stage with RPC services on an rpcServer.

import { bootWith } from "../../boot.ts";
import type { Definition } from "../../component/definition.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineService } from "../../rpc/kinds.ts";
import type { ServedBundlet } from "../../rpc/served-bundlet.ts";
import type { Stage } from "../../stage.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { testService } from "./test-service.ts";

export interface RpcServerSiteOptions {
  /** Default: `testService()`. */
  readonly bundlets?: readonly ServedBundlet[];
  /** Default: any port of 127.0.0.1. */
  readonly address?: string;
  /** Props of the rpcServer, as a configuration has them. */
  readonly props?: string;
  /** Other components of the stage. */
  readonly more?: string;
  /** Of those, the ones that are none of the engine's. */
  readonly definitions?: readonly Definition[];
}

export interface RpcServerSite extends AsyncDisposable {
  readonly stage: Stage;
  /** `127.0.0.1:4711`. */
  readonly address: string;
  readonly port: number;
  /** Of HTTP. */
  readonly url: string;
  /** The lines of the error log. */
  readonly log: readonly string[];
  /** The text of the configuration with other props of the rpcServer, for reloads. */
  readonly textWith: (props: string) => string;
}

export async function serveRpcServer(options: RpcServerSiteOptions = {}): Promise<RpcServerSite> {
  const { bundlets = [testService()], address = "127.0.0.1:0", props = "", more = "", definitions = [] } = options;
  const sink = new MemorySink();
  const service = defineService({ sign: "testService", create: () => ({ bundlets }) });
  const textWith = (props: string): string =>
    `stage { testService "test" {} ${more} rpcServer "rpc" { .services = ("test") .address = "${address}" ${props} } }`;
  const stage = await bootWith([pack("test", [service, ...definitions])]).bootText(textWith(props), {
    log: openErrorLog({ sink, level: "debug" }),
  });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("rpcServer.rpc")?.part ?? {};
  return {
    stage,
    address: listensOn,
    port: Number(/:(\d+)$/.exec(listensOn)?.[1]),
    url: `http://${listensOn}`,
    log: sink.lines,
    textWith,
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}
