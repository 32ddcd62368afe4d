// Sends logs to syslog and journald. The default export is the pack.

import { pack } from "@hemi/internal";
import { journald } from "./journald.ts";
import { syslog } from "./syslog.ts";

export { journald, syslog };

export default pack("@hemi/contrib-logs", [syslog, journald]);
