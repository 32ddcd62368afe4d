// fcgiRelay: answers requests with what programs behind FastCGI say, PHP above all.

import { backendKind } from "../../backend/kind.ts";
import { fcgiPrograms } from "../../cgi/programs.ts";
import { prop } from "../../component/prop.ts";
import { defineHandlet, type HandletPart } from "../../web/kinds.ts";
import { checkRelay, Relay, relayProps } from "./relay.ts";

/**
 * Answers requests with what the scripts of a FastCGI server say. Content streams both ways, each side at the pace of the other; that of no known size
 * is gathered first, up to `maxContentSize`. 502: the server is not to be reached, or its answer is broken; 503: it has its fill; 504: it is too
 * slow. The reason is in the error log.
 */
export const fcgiRelay = defineHandlet({
  sign: "fcgiRelay",
  props: {
    /** The backend that answers. */
    toBackend: prop.reference(backendKind, { offering: fcgiPrograms, required: true, inherited: true }),
    ...relayProps,
  },
  check: checkRelay,
  create: (context): HandletPart => new Relay(context),
});
