// scgiRelay: answers requests with what programs behind SCGI say.

import { backendKind } from "../../backend/kind.ts";
import { scgiPrograms } from "../../cgi/programs.ts";
import { prop } from "../../component/prop.ts";
import { defineHandlet, type HandletPart } from "../../web/kinds.ts";
import { checkRelay, Relay, relayProps } from "./relay.ts";

/** Answers requests with what the programs of an SCGI server say, as `fcgiRelay` does with those of a FastCGI server. */
export const scgiRelay = defineHandlet({
  sign: "scgiRelay",
  props: {
    /** The backend that answers. */
    toBackend: prop.reference(backendKind, { offering: scgiPrograms, required: true, inherited: true }),
    ...relayProps,
  },
  check: checkRelay,
  create: (context): HandletPart => new Relay(context),
});
