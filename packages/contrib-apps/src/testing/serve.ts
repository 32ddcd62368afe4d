// For tests: a stage with one handlet in a default webapp, and a rule behind it.

import { fileURLToPath } from "node:url";
import { bootWith, type InjectRequest, MemorySink, openErrorLog, type Pack } from "@hemi/internal";
import apps from "../index.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/**
 * `handlet` and `server` are text of a configuration; modules are looked up beside this file. `packs` stand beside the
 * apps; `webapp` is text, too.
 */
export async function serve(handlet: string, server = "", packs: readonly Pack[] = [], webapp = "") {
  const sink = new MemorySink();
  const stage = await bootWith([apps, ...packs]).bootText(
    `stage {
      webapp "site" {
        .hostnames = ("*") .maxContentSize = 1M ${webapp}
        rule { ${handlet} }
        rule { .returnText = "next" }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" ${server} }
    }`,
    { baseDir: here, log: openErrorLog({ sink, level: "debug" }) },
  );
  await stage.start();
  const main = stage.find("httpxServer.main")?.part;
  const [address = ""] = main !== undefined && "listensOn" in main ? (main.listensOn as readonly string[]) : [];
  return {
    stage,
    sink,
    port: Number(address.slice(address.lastIndexOf(":") + 1)),
    ask: (request: InjectRequest) => stage.inject(request),
    [Symbol.asyncDispose]: () => stage.quit(),
  };
}
