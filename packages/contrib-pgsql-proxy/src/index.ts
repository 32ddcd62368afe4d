// A proxy for PostgreSQL. The default export is the pack.

import { pack } from "@hemi/internal";
import { pgsqlProxy } from "./pgsql-proxy.ts";

export { pgsqlProxy };

export default pack("@hemi/contrib-pgsql-proxy", [pgsqlProxy]);
