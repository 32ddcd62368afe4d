// `hemi rpc`: calls procedures of a server, lists them, and writes .proto files of services in TypeScript.

import { RpcError } from "@hemi/common/rpc";
import { HemiError } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { callProcedure } from "../rpc/call-procedure.ts";
import { listServices } from "../rpc/list-services.ts";
import { writeProto } from "../rpc/write-proto.ts";

const actions: ReadonlyMap<string, (line: CommandLine, args: readonly string[]) => Promise<ExitCode>> = new Map([
  ["call", callProcedure],
  ["list", listServices],
  ["proto", writeProto],
]);

export async function rpc(line: CommandLine): Promise<ExitCode> {
  const [name = "", ...args] = line.rest;
  const action = actions.get(name);
  if (action === undefined) {
    const what = name === "" ? "needs an action" : `has no action ${name}`;
    throw new HemiError("HEMI_USAGE", `rpc ${what}: call, list or proto; see hemi help rpc`);
  }
  try {
    return await action(line, args);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    process.stderr.write(`${error.code}${error.message === "" ? "" : `: ${error.message}`}\n`);
    return exitCodes.callFailed;
  }
}
