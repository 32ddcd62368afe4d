// scgiBackend: a group of equal SCGI servers.

import { checkNodes } from "../backend/props.ts";
import { defineBackend } from "../backend/kind.ts";
import type { Part } from "../component/part.ts";
import { CgiBackendPart, cgiBackendProps, checkCgi } from "./cgi-backend.ts";
import { scgiPrograms, type CgiBackend } from "./programs.ts";
import { ScgiNodeExchan } from "./scgi-node-exchan.ts";
import { ScgiParams } from "./scgi-params.ts";

const props = cgiBackendProps;

/**
 * A group of equal SCGI servers, for `scgiRelay`. The protocol does not support persistent connections: each request
 * has its own.
 */
export const scgiBackend = defineBackend({
  sign: "scgiBackend",
  props,
  check(context) {
    checkNodes(context);
    checkCgi(context);
  },
  offers: [scgiPrograms],
  create: (context): Part & CgiBackend =>
    new CgiBackendPart(context, {
      newParams: () => new ScgiParams(),
      newExchan: (request, wish, taker, owner) => new ScgiNodeExchan(request, wish, taker, owner),
    }),
});
