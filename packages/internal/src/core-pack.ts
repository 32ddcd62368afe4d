// The components of the engine's own package.

import { pack } from "./component/pack.ts";
import { clock, fcache, namer } from "./fixtures/definitions.ts";
import { scgiBackend } from "./cgi/scgi-backend.ts";
import { fcgiBackend } from "./fcgi/fcgi-backend.ts";
import { http1Backend } from "./http1/http1-backend.ts";
import { http1Outgate } from "./httpx/forward/http1-outgate.ts";
import { http2Backend } from "./http2/http2-backend.ts";
import { forwardProxy } from "./httpx/forward/forward-proxy.ts";
import { httpxServer } from "./httpx/httpx-server.ts";
import { cleanCronjob } from "./stage/cron/clean-cronjob.ts";
import { commandCronjob } from "./stage/cron/command-cronjob.ts";
import { moduleCronjob } from "./stage/cron/module-cronjob.ts";
import { requestCronjob } from "./stage/cron/request-cronjob.ts";
import { statCronjob } from "./stage/cron/stat-cronjob.ts";
import { sqliteLocks } from "./stage/locks/sqlite-locks.ts";
import { cache } from "./web/cache/cache.ts";
import { diskCacher } from "./web/cache/disk/disk-cacher.ts";
import { memCacher } from "./web/cache/mem/mem-cacher.ts";
import { cookieStater } from "./web/session/cookie-stater.ts";
import { localStater } from "./web/session/local-stater.ts";
import { forwardAuth } from "./web/proxy/forward-auth.ts";
import { httpProxy } from "./web/proxy/http-proxy.ts";
import { sockProxy } from "./web/proxy/sock-proxy.ts";
import { fcgiRelay } from "./httpx/relay/fcgi-relay.ts";
import { scgiRelay } from "./httpx/relay/scgi-relay.ts";
import { caseOfRouter } from "./layer4/case.ts";
import { handOver } from "./layer4/tcps/hand-over.ts";
import { tcpsBackend } from "./layer4/tcps/tcps-backend.ts";
import { tcpsProxy } from "./layer4/tcps/tcps-proxy.ts";
import { tcpsRouter } from "./layer4/tcps/tcps-router.ts";
import { tcpsOutgate } from "./layer4/tcps/tcps-outgate.ts";
import { udpsOutgate } from "./layer4/udps/udps-outgate.ts";
import { udpsBackend } from "./layer4/udps/udps-backend.ts";
import { udpsProxy } from "./layer4/udps/udps-proxy.ts";
import { udpsRouter } from "./layer4/udps/udps-router.ts";
import { grpcService } from "./rpc/bridge/grpc-service.ts";
import { grpcWebBridge } from "./rpc/bridge/grpc-web-bridge.ts";
import { hrpcBackend } from "./rpc/hrpc/hrpc-backend.ts";
import { hrpcOutgate } from "./rpc/hrpc/hrpc-outgate.ts";
import { rpcHandlet } from "./rpc/rpc-handlet.ts";
import { rpcServer } from "./rpc/rpc-server.ts";
import { rule } from "./web/dispatch/rule.ts";
import { staticHandlet } from "./web/static/static.ts";
import { webapp } from "./web/dispatch/webapp.ts";

export const corePack = pack("@hemi/internal", [
  clock,
  fcache,
  namer,
  http1Outgate,
  tcpsOutgate,
  udpsOutgate,
  hrpcOutgate,
  http1Backend,
  http2Backend,
  fcgiBackend,
  scgiBackend,
  hrpcBackend,
  httpxServer,
  webapp,
  rule,
  staticHandlet,
  cleanCronjob,
  commandCronjob,
  moduleCronjob,
  requestCronjob,
  statCronjob,
  sqliteLocks,
  diskCacher,
  cookieStater,
  localStater,
  memCacher,
  cache,
  httpProxy,
  sockProxy,
  forwardProxy,
  forwardAuth,
  fcgiRelay,
  scgiRelay,
  rpcHandlet,
  grpcService,
  grpcWebBridge,
  rpcServer,
  tcpsBackend,
  tcpsRouter,
  caseOfRouter,
  tcpsProxy,
  handOver,
  udpsBackend,
  udpsRouter,
  udpsProxy,
]);
