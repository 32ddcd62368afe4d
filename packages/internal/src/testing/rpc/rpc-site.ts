// For tests: a stage with RPC services on a port of its own.

import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { pack } from "../../component/pack.ts";
import { defineService } from "../../rpc/kinds.ts";
import type { ServedBundlet } from "../../rpc/served-bundlet.ts";
import type { Stage } from "../../stage.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { testService } from "./test-service.ts";

export interface RpcSiteOptions {
  /** Default: `testService()`. */
  readonly bundlets?: readonly ServedBundlet[];
  /** Props of the rpcHandlet, as a configuration has them. */
  readonly props?: string;
  /** Props of the httpxServer. */
  readonly server?: string;
  /** What stands behind the rpcHandlet in its rule. */
  readonly behind?: string;
}

export interface RpcSite extends AsyncDisposable {
  readonly stage: Stage;
  readonly port: number;
  readonly url: string;
  /** The lines of the error log. */
  readonly log: readonly string[];
}

export async function serveRpc(options: RpcSiteOptions = {}): Promise<RpcSite> {
  const { bundlets = [testService()], props = "", server = "", behind = "" } = options;
  const sink = new MemorySink();
  const service = defineService({ sign: "testService", create: () => ({ bundlets }) });
  const stage = await bootWith([pack("test", [service])]).bootText(
    `stage {
      testService "test" {}
      webapp "site" { .hostnames = ("*") rule { rpcHandlet { .services = ("test") ${props} } ${behind} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" ${server} }
    }`,
    { log: openErrorLog({ sink, level: "debug" }) },
  );
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn)?.[1]);
  return {
    stage,
    port,
    url: `http://127.0.0.1:${port}`,
    log: sink.lines,
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}
