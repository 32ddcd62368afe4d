// `hemi rpc`: calls procedures of a server, lists them, and writes .proto files of services in TypeScript.

import { RpcError } from "@hemi/common/rpc";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

type Action = (line: CommandLine, args: readonly string[]) => Promise<ExitCode>;

/** Each is loaded when it is run. */
const actions: ReadonlyMap<string, () => Promise<Action>> = new Map([
  ["call", async () => (await import("../rpc/call-procedure.ts")).callProcedure],
  ["list", async () => (await import("../rpc/list-services.ts")).listServices],
  ["proto", async () => (await import("../rpc/write-proto.ts")).writeProto],
]);

export async function rpc(line: CommandLine): Promise<ExitCode> {
  const [name = "", ...args] = line.rest;
  const load = actions.get(name);
  if (load === undefined) {
    const what = name === "" ? "needs an action" : `has no action ${name}`;
    throw new HemiError("HEMI_USAGE", `rpc ${what}: call, list or proto; see hemi help rpc`);
  }
  const action = await load();
  try {
    return await action(line, args);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    process.stderr.write(`${error.code}${error.message === "" ? "" : `: ${error.message}`}\n`);
    return exitCodes.callFailed;
  }
}
