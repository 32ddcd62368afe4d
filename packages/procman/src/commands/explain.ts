// `hemi explain`: describes how a request would be handled, and why. Nothing is served, and no handler runs.

import { bootFile, HemiError, MemorySink, openErrorLog, walkText, type ExplainRequest, type Walk } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { explainConn } from "./explain-conn.ts";
import { readHeaderOptions } from "./header-options.ts";
import { loadPacks } from "../load-packs.ts";
import { textOptions } from "../text-options.ts";

export async function explain(line: CommandLine): Promise<ExitCode> {
  const [first] = line.rest;
  if (first === "tcp" || first === "udp" || first === "quic") {
    if (line.isRunning) throw new HemiError("HEMI_USAGE", "--running is for requests: hemi explain --running URL");
    return await explainConn(line, first);
  }
  for (const option of ["to", "sni", "alpn", "bytes"] as const) {
    if (line[option] === undefined || line[option] === "") continue;
    throw new HemiError("HEMI_USAGE", `--${option} is for connections: hemi explain tcp ADDRESS --to :443`);
  }
  const { method, url } = methodAndUrl(line.rest);
  const headers = readHeaderOptions(line.fields);
  const { from, server } = line;
  const walk = line.isRunning
    ? await callProgram(programPlace(line), "explain", {
        method,
        url,
        headers,
        ...(from === undefined ? {} : { from }),
        ...(server === undefined ? {} : { server }),
      })
    : await explainFile(line, { method, url, headers, ...(from === undefined ? {} : { srcHost: from }) });
  process.stdout.write(line.isJSON ? `${JSON.stringify(walk, undefined, 2)}\n` : walkText(walk, textOptions()));
  return isTaken(walk) ? exitCodes.fine : exitCodes.notTaken;
}

async function explainFile(line: CommandLine, request: ExplainRequest): Promise<Walk> {
  const use = await loadPacks(line.use);
  // Log lines that components write while they are created are not part of the output.
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootFile(line.config, { baseDir: line.base, use, log });
  try {
    return await stage.explain(request, line.server === undefined ? {} : { into: line.server });
  } finally {
    await stage.quit();
  }
}

function isTaken({ outcome }: Walk): boolean {
  return outcome.type === "answered" || outcome.type === "open";
}

function methodAndUrl(rest: readonly string[]): { readonly method: string; readonly url: string } {
  const [first, second] = rest;
  if (first === undefined) throw new HemiError("HEMI_USAGE", "explain needs a URL: hemi explain GET http://host/path");
  if (rest.length > 2)
    throw new HemiError("HEMI_USAGE", `explain takes a method and a URL, not ${rest.slice(2).join(" ")} too`);
  return second === undefined ? { method: "GET", url: first } : { method: first, url: second };
}
