// The components of the engine's own package.

import { pack } from "./component/pack.ts";
import { clock, fcache, namer } from "./fixtures/definitions.ts";
import { http1Backend } from "./http1/http1-backend.ts";
import { httpxServer } from "./web/httpx-server.ts";
import { httpProxy } from "./web/proxy/http-proxy.ts";
import { rule } from "./web/rule.ts";
import { staticHandlet } from "./web/static/static.ts";
import { webapp } from "./web/webapp.ts";

export const corePack = pack("@hemi/internal", [
  clock,
  fcache,
  namer,
  http1Backend,
  httpxServer,
  webapp,
  rule,
  staticHandlet,
  httpProxy,
]);
