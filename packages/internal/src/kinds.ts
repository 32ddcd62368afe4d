// The table of kinds: the picture of a stage, as data. Prepared from the top of this list down, shut down from the bottom up.

import { addonKind } from "./component/kinds/addon.ts";
import { backendKind } from "./backend/kind.ts";
import { cronjobKind } from "./component/kinds/cronjob.ts";
import { fixtureKind } from "./component/kinds/fixture.ts";
import { outgateKind } from "./component/kinds/outgate.ts";
import { caseKind, dealetKind, routerKind } from "./component/kinds/router.ts";
import { serviceKind } from "./component/kinds/service.ts";
import { cacherKind, staterKind } from "./component/kinds/storage.ts";
import { handletKind, reviserKind, ruleKind, serverKind, sockletKind, webappKind } from "./web/kinds.ts";

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
  // rank 4
  serviceKind,
  webappKind,
  ruleKind,
  handletKind,
  reviserKind,
  sockletKind,
  // rank 5
  routerKind,
  caseKind,
  dealetKind,
  serverKind,
  // rank 6
  cronjobKind,
] as const;
