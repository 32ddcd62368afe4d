// Backends: groups of equal servers that handle forwarded work.

import { kind, shape } from "../component/kind.ts";
import type { Part } from "../component/part.ts";
import { definer } from "../stage/definer.ts";

/** A group of equal servers that handle forwarded work. Its capabilities define its protocols. */
export const backendKind = kind({
  name: "backend",
  rank: 2,
  standsIn: [{ owner: "stage", naming: "required" }],
  part: shape<Part>(),
  owner: shape<undefined>(),
  hintForName: hintForAddress,
});

/** A hint for users who write `.toBackend = "http://127.0.0.1:3000"`. */
function hintForAddress(written: string): string | undefined {
  const [, scheme, address] = /^(?:(\w+):\/\/)?([^/]+?)\/?$/.exec(written) ?? [];
  if (address === undefined || (scheme === undefined && !/:\d+$/.test(address))) return undefined;
  const port = /:\d+$/.test(address) ? "" : scheme === "https" ? ":443" : ":80";
  const tls = scheme === "https" ? " .tlsMode = true" : "";
  const declared = `http1Backend "app" { .nodes = (["address": "${address}${port}"])${tls} }`;
  return `declare a backend in the stage, ${declared}, and write its name here: "app"`;
}

/** Declares a backend: a group of equal servers that others refer to. */
export const defineBackend = definer(backendKind);
