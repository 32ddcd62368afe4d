// scgiRelay: forwards requests to programs behind SCGI.

import { backendKind } from "../../backend/kind.ts";
import { scgiPrograms } from "../../cgi/programs.ts";
import { prop } from "../../component/prop.ts";
import { defineHandlet, type HandletPart } from "../../web/kinds.ts";
import { checkRelay, Relay, relayProps } from "./relay.ts";

/** Forwards requests to the programs of an SCGI server, as `fcgiRelay` does for FastCGI. */
export const scgiRelay = defineHandlet({
  sign: "scgiRelay",
  props: {
    /** The backend that handles the requests. */
    toBackend: prop.reference(backendKind, { offering: scgiPrograms, required: true, inherited: true }),
    ...relayProps,
  },
  check: checkRelay,
  create: (context): HandletPart => new Relay(context),
});
