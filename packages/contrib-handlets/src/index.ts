// Small handlets. The default export is the pack.

import { pack } from "@hemi/internal";
import { accessChecker } from "./access-checker.ts";
import { basicAuth } from "./basic-auth.ts";
import { cors } from "./cors.ts";
import { favicon } from "./favicon.ts";
import { health } from "./health.ts";
import { hostnameChecker } from "./hostname-checker.ts";
import { httpsChecker } from "./https-checker.ts";
import { limiter } from "./limiter/limiter.ts";
import { hashPassword, type ScryptCost } from "./password-hash.ts";
import { metrics } from "./metrics.ts";
import { refererChecker } from "./referer-checker.ts";
import { rewriter } from "./rewriter.ts";

export {
  accessChecker,
  basicAuth,
  cors,
  favicon,
  hashPassword,
  health,
  hostnameChecker,
  httpsChecker,
  limiter,
  metrics,
  refererChecker,
  rewriter,
};
export type { ScryptCost };

export default pack("@hemi/contrib-handlets", [
  accessChecker,
  basicAuth,
  cors,
  favicon,
  health,
  hostnameChecker,
  httpsChecker,
  limiter,
  metrics,
  refererChecker,
  rewriter,
]);
