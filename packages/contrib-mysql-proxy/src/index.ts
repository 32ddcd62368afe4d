// A proxy for MySQL and MariaDB. The default export is the pack.

import { pack } from "@hemi/internal";
import { mysqlProxy } from "./mysql-proxy.ts";

export { mysqlProxy };

export default pack("@hemi/contrib-mysql-proxy", [mysqlProxy]);
