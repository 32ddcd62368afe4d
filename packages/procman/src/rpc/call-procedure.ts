// `hemi rpc call URL pkg.Service/Method [JSON …]`: calls a procedure, and prints each message of the answer as JSON.

import { makeClient, Metadata, streamsIn, streamsOut, type Bundlet, type Procedure } from "@hemi/common/rpc";
import { HemiError, reflect } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { remoteServer } from "./remote-server.ts";

export async function callProcedure(line: CommandLine, args: readonly string[]): Promise<ExitCode> {
  const [url, path, ...texts] = args;
  const [, service, method] = /^\/?([\w.]+)\/(\w+)$/.exec(path ?? "") ?? [];
  if (url === undefined || service === undefined || method === undefined) {
    throw new HemiError(
      "HEMI_USAGE",
      "rpc call takes a URL and a procedure: hemi rpc call URL pkg.Service/Method '{…}'",
    );
  }
  await using server = await remoteServer(url);
  const bundlet = await reflect(server.transport).service(service);
  const [name, procedure] = procedureOf(bundlet, method);
  const inputs = texts.map((text) => parsed(procedure, text));
  const method_ = makeClient(bundlet, server.transport)[name];
  if (method_ === undefined) throw new HemiError("HEMI_USAGE", `${service} has no procedure ${method}`);
  const options = { metadata: metadataOf(line.fields), timeout: line.period };
  const answer = streamsIn(procedure.kind) ? call(method_, inputs, options) : call(method_, onlyOf(inputs), options);
  if (streamsOut(procedure.kind) && isStream(answer)) for await (const message of answer) print(procedure, message);
  else print(procedure, await answer);
  return exitCodes.fine;
}

function call(method: (input: never, options: object) => unknown, input: unknown, options: object): unknown {
  return Reflect.apply(method, undefined, [input, options]);
}

function isStream(answer: unknown): answer is AsyncIterable<unknown> {
  return typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;
}

function procedureOf({ name, procedures }: Bundlet, method: string): readonly [string, Procedure] {
  const found = Object.entries(procedures).find(
    ([own, { wireName }]) => (wireName ?? own) === method || own === method,
  );
  if (found !== undefined) return found;
  const names = Object.values(procedures).map(({ wireName }) => wireName);
  throw new HemiError("HEMI_USAGE", `${name} has no procedure ${method}: it has ${names.join(", ")}`);
}

function parsed({ input }: Procedure, text: string): unknown {
  try {
    return input.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HemiError("HEMI_USAGE", `this is no message of the procedure: ${text}: ${reason}`);
  }
}

function onlyOf(inputs: readonly unknown[]): unknown {
  if (inputs.length > 1) throw new HemiError("HEMI_USAGE", "the procedure takes one message");
  return inputs[0] ?? {};
}

function metadataOf(fields: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (const field of fields) {
    const [, name, value] = /^([^:\s]+):\s*(.*?)\s*$/s.exec(field) ?? [];
    if (name === undefined || value === undefined) {
      throw new HemiError("HEMI_USAGE", `-H takes "name: value", not ${JSON.stringify(field)}`);
    }
    metadata.append(name, name.toLowerCase().endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

function print({ output }: Procedure, message: unknown): void {
  process.stdout.write(`${output.stringify(message)}\n`);
}
