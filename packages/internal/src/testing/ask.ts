// For tests: runs requests through one `handle`, as those of a default webapp, without a socket.

import type { InjectRequest, InjectResponse } from "../web/wires/inject-request.ts";
import { Fcache } from "../fixtures/fcache.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Dispatcher } from "../web/dispatch/dispatcher.ts";
import { OpenExchans } from "../web/dispatch/open-exchans.ts";
import { injectRequest } from "../web/wires/inject.ts";
import type { HandletPart, WebappPart } from "../web/kinds.ts";

/** What is said to a request that `handle` leaves to others. */
export const notMine = "not mine";

export function askOf(
  handle: HandletPart["handle"],
  { fcache = new Fcache(), sink = new MemorySink() }: { fcache?: Fcache; sink?: MemorySink } = {},
): (request: InjectRequest) => Promise<InjectResponse> {
  const dispatcher = new Dispatcher({
    webapps: [
      {
        hostnames: ["*"],
        get webapp(): WebappPart {
          return this;
        },
        settings: new Map(),
        handle,
        notFound(_req, resp) {
          resp.status = 404;
          resp.send(notMine);
        },
      },
    ],
    log: openErrorLog({ level: "debug", sink }),
    fcache,
    open: new OpenExchans(),
  });
  return injectRequest((wire) => dispatcher.serve(wire));
}
