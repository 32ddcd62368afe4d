// What a limiter counts as one client.

import { createHash } from "node:crypto";
import { keyOfAddress } from "@hemi/common";
import { compileTemplate, type Request, type Template, type VariableTable, webVariables } from "@hemi/internal";

/** Gives the key of a request; "" if it is not limited. `undefined`: by the address. */
export function compileKey(key: Template | undefined): (req: Request) => string {
  if (key === undefined) return keyOfSource;
  const compiled = compileTemplate(key, variables);
  return (req) => shorten(compiled(req));
}

/** The variables of requests, but that `$srcHost` is what one client has. */
const variables: VariableTable<Request> = {
  names: webVariables.names,
  find: (name) => (name === "srcHost" ? keyOfSource : webVariables.find(name)),
};

function keyOfSource({ srcHost }: Request): string {
  return keyOfAddress(srcHost);
}

/**
 * A key that a client chose may be long, and may be a slice that keeps all of a request's head in memory, as V8 makes
 * them from 13 characters on: the table holds its hash in its place.
 */
function shorten(key: string): string {
  return key.length < 13 ? key : createHash("sha256").update(key).digest("base64");
}
