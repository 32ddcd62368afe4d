// fcgiRelay: forwards requests to programs behind FastCGI, such as PHP.

import { backendKind } from "../../backend/kind.ts";
import { fcgiPrograms } from "../../cgi/programs.ts";
import { prop } from "../../component/prop.ts";
import { defineHandlet, type HandletPart } from "../../web/kinds.ts";
import { checkRelay, Relay, relayProps } from "./relay.ts";

/**
 * Forwards requests to the scripts of a FastCGI server. Content streams in both directions, each at the pace of its
 * reader. Content of unknown size is buffered first, up to `maxContentSize`. Statuses: 502 if the server is unreachable
 * or its response is malformed; 503 if it is at its limit; 504 if it is too slow. The reason is in the error log.
 */
export const fcgiRelay = defineHandlet({
  sign: "fcgiRelay",
  props: {
    /** The backend that handles the requests. */
    toBackend: prop.reference(backendKind, { offering: fcgiPrograms, required: true, inherited: true }),
    ...relayProps,
  },
  check: checkRelay,
  create: (context): HandletPart => new Relay(context),
});
