// Exports spans and lines of logs to a collector of OpenTelemetry. The default export is the pack.

import { pack } from "@hemi/internal";
import { otel } from "./otel.ts";

export { otel };

export default pack("@hemi/contrib-otel", [otel]);
