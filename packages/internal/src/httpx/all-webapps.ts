// A server that does not say which webapps it serves, serves all of the stage.

import type { Shorthand } from "../component/shorthand.ts";
import type { ValueSpec } from "../config/spec.ts";

/** Writes `.webapps` where it is left out. Without any webapp it stays out, which the server's own check reports. */
export const allWebapps: Shorthand = (spec, stage) => {
  if (spec.props.some(({ name }) => name === "webapps" || name === "forApps")) return spec;
  const { signSpan: span } = spec;
  const items = stage.names("webapp").map((value): ValueSpec => ({ type: "string", value, span }));
  if (items.length === 0) return spec;
  const value: ValueSpec = { type: "list", items, span };
  return { ...spec, props: [...spec.props, { name: "webapps", nameSpan: span, value, span }] };
};
