// The table of kinds: the structure of a stage, as data. Prepared from the top of this list down, shut down from the
// bottom up.

import { addonKind } from "./stage/kinds/addon.ts";
import { backendKind } from "./backend/kind.ts";
import { cronjobKind } from "./stage/kinds/cronjob.ts";
import { fixtureKind } from "./fixtures/kind.ts";
import { outgateKind } from "./stage/kinds/outgate.ts";
import { caseKind, dealetKind, routerKind } from "./layer4/kinds.ts";
import { serviceKind } from "./rpc/kinds.ts";
import { serverKind } from "./stage/kinds/server.ts";
import { cacherKind } from "./web/cache/cacher.ts";
import { staterKind } from "./web/session/stater.ts";
import { handletKind, reviserKind, ruleKind, sockletKind, webappKind } from "./web/kinds.ts";

export const kinds = [
  // rank 0: clock, fcache, namer
  fixtureKind,
  // rank 1
  outgateKind,
  addonKind,
  // rank 2
  backendKind,
  // rank 3
  staterKind,
  cacherKind,
  // rank 4: below handlets, which serve them
  serviceKind,
  // rank 5
  webappKind,
  ruleKind,
  handletKind,
  reviserKind,
  sockletKind,
  // rank 6
  serverKind,
  // rank 7: above the servers, because a dealet may hand connections over to one of them
  routerKind,
  caseKind,
  dealetKind,
  // rank 8
  cronjobKind,
] as const;
