// For tests: a site before foreign gRPC servers, by grpcService and by grpcWebBridge.

import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary, type DescFile } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import type { RpcSite } from "./rpc-site.ts";

/** `service`: props of the grpcService, as a configuration has them. gRPC-Web goes by the bridge below `/web`. */
export async function serveBridged(port: number, service: string): Promise<RpcSite> {
  const sink = new MemorySink();
  const stage = await bootWith([]).bootText(
    `stage {
      http2Backend "foreign" { .nodes = (["address": "127.0.0.1:${port}"]) }
      grpcService "service" { .toBackend = "foreign" ${service} }
      webapp "site" {
        .hostnames = ("*")
        rule $header_x_bridge == "web" { grpcWebBridge {} httpProxy { .toBackend = "foreign" } }
        rule { rpcHandlet { .services = ("service") } }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink, level: "debug" }) },
  );
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const sitePort = Number(/:(\d+)$/.exec(listensOn)?.[1]);
  return {
    stage,
    port: sitePort,
    url: `http://127.0.0.1:${sitePort}`,
    log: sink.lines,
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

/** A port that nothing listens on. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

/** A file as protoc writes it, with all that these files import. */
export async function descriptorFile(...files: readonly DescFile[]): Promise<string> {
  const all = new Set<DescFile>();
  const collect = (file: DescFile): void => {
    for (const imported of file.dependencies) collect(imported);
    all.add(file);
  };
  files.forEach(collect);
  const path = join(await mkdtemp(join(tmpdir(), "hemi-descriptors-")), "services.binpb");
  const set = create(FileDescriptorSetSchema, { file: [...all].map(({ proto }) => proto) });
  await writeFile(path, toBinary(FileDescriptorSetSchema, set));
  return path;
}
