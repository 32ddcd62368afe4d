// fcgiBackend: a group of equal FastCGI servers, such as PHP-FPM.

import { checkNodes } from "../backend/props.ts";
import { CgiBackendPart, cgiBackendProps, checkCgi } from "../cgi/cgi-backend.ts";
import { defineBackend } from "../backend/kind.ts";
import type { Part } from "../component/part.ts";
import { fcgiPrograms, type CgiBackend } from "../cgi/programs.ts";
import { FcgiNodeExchan } from "./node-exchan.ts";
import { FcgiParams } from "./params.ts";

const props = cgiBackendProps;

/**
 * A group of equal FastCGI servers, for `fcgiRelay`. With `keepConns` above 0, connections are persistent. If the
 * server needs a process for each connection, as PHP-FPM does, set `maxConnsPerNode` to the number of processes
 * (`pm.max_children`): further requests then wait here, in order.
 */
export const fcgiBackend = defineBackend({
  sign: "fcgiBackend",
  props,
  check(context) {
    checkNodes(context);
    checkCgi(context);
  },
  offers: [fcgiPrograms],
  create: (context): Part & CgiBackend =>
    new CgiBackendPart(context, {
      newParams: () => new FcgiParams(),
      newExchan: (request, wish, taker, owner) =>
        new FcgiNodeExchan(request, wish, taker, { owner, keepConn: context.props.keepConns > 0 }),
    }),
});
