// `hemi rpc list URL [SERVICE]`: the services of a server by reflection, or the procedures of one.

import { HemiError, reflect } from "@hemi/hemi";
import { streamsIn, streamsOut, type Bundlet } from "@hemi/common/rpc";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { remoteServer } from "./remote-server.ts";

export async function listServices(line: CommandLine, [url, name, ...others]: readonly string[]): Promise<ExitCode> {
  if (url === undefined || others.length > 0) {
    throw new HemiError("HEMI_USAGE", "rpc list takes a URL, and a service if its procedures are wanted");
  }
  await using server = await remoteServer(url);
  const reflection = reflect(server.transport);
  const lines = name === undefined ? await reflection.listServices() : proceduresOf(await reflection.service(name));
  process.stdout.write(
    line.isJSON ? `${JSON.stringify(lines, undefined, 2)}\n` : lines.map((each) => `${each}\n`).join(""),
  );
  return exitCodes.fine;
}

/** As a .proto file would have them. */
function proceduresOf({ procedures }: Bundlet): readonly string[] {
  return Object.entries(procedures).map(([own, { kind, wireName, input, output }]) => {
    const given = `${streamsIn(kind) ? "stream " : ""}${input.typeName ?? ""}`;
    const taken = `${streamsOut(kind) ? "stream " : ""}${output.typeName ?? ""}`;
    return `rpc ${wireName ?? own}(${given}) returns (${taken})`;
  });
}
