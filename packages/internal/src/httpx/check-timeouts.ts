// Warns of backends that may take longer than the server lets a handlet take: clients would get the server's 503, and
// no other node were tried.

import type { CheckContext } from "../component/definition.ts";
import { printDuration } from "../config/literals.ts";
import { backendKind } from "../backend/kind.ts";

/** Looks at all that stands in the webapps of a server and refers to a backend. */
export function checkTimeouts(
  { props, path }: CheckContext<{ readonly handleTimeout: number }>,
  webapps: readonly CheckContext[],
): void {
  const isTold = new Set<string>();
  const look = (context: CheckContext): void => {
    for (const backend of context.references("toBackend")) {
      if (backend.definition.kind.name !== backendKind.name) continue;
      const readTimeout = context.props["readTimeout"] ?? backend.props["readTimeout"];
      const handleTimeout = context.props["handleTimeout"] ?? props.handleTimeout;
      if (typeof readTimeout !== "number" || typeof handleTimeout !== "number" || readTimeout <= handleTimeout)
        continue;
      const by = context.props["handleTimeout"] === undefined ? path : context.path;
      const teller = context.props["readTimeout"] === undefined ? backend : context;
      const message =
        `its readTimeout of ${printDuration(readTimeout)} is longer than the handleTimeout of ` +
        `${printDuration(handleTimeout)} of ${by}, by which clients get 503 before`;
      if (isTold.has(teller.path + message)) continue;
      isTold.add(teller.path + message);
      teller.warn({ prop: "readTimeout", message, hint: "set .handleTimeout of the proxy or its rule to more" });
    }
    context.children().forEach(look);
  };
  webapps.forEach(look);
}
