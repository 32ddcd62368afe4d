// HTTP/3 over QUIC. The default export is the pack.

import { pack } from "@hemi/internal";
import { http3Server } from "./http3-server.ts";

export { http3Server };

export default pack("@hemi/contrib-quic", [http3Server]);
