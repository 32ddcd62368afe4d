// The checks of a server with the webapps that it serves.

import { isMadeBy, type CheckContext } from "../component/definition.ts";
import type { Reference } from "../component/reference.ts";
import { webapp } from "../web/dispatch/webapp.ts";
import type { WebappPart } from "../web/kinds.ts";

/** Reports a server without webapps, and a hostname of two of them. Returns the webapps. */
export function checkWebapps(context: CheckContext<{ readonly webapps: readonly Reference<WebappPart>[] }>) {
  if (context.props.webapps.length === 0) {
    context.report({ prop: "webapps", message: "it needs a webapp to serve: there is none in .webapps" });
  }
  const webapps = context.references("webapps").filter((referred) => isMadeBy(referred, webapp));
  const owners = new Map<string, CheckContext>();
  for (const referred of webapps) {
    for (const hostname of referred.props.hostnames) {
      const owner = owners.get(hostname);
      if (owner === undefined) owners.set(hostname, referred);
      else if (owner !== referred) {
        const message = `the hostname "${hostname}" is that of ${owner.path} too, and ${context.path} serves both`;
        referred.report({ prop: "hostnames", message });
      }
    }
  }
  return webapps;
}
