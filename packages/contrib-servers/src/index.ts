// General servers. The default export is the pack.

import { pack } from "@hemi/internal";
import { connectUdp } from "./connect-udp.ts";
import { ConnServer, connServerProps, type ConnServerSettings, type ServedSocket } from "./conn-server.ts";
import { echoServer } from "./echo-server.ts";
import { socksServer } from "./socks-server.ts";
import { tcpohServer, tunnelServer, udpohServer } from "./tunnel-server.ts";

export { ConnServer, connServerProps, connectUdp, echoServer, socksServer, tcpohServer, tunnelServer, udpohServer };
export type { ConnServerSettings, ServedSocket };

export default pack("@hemi/contrib-servers", [
  echoServer,
  socksServer,
  tunnelServer,
  tcpohServer,
  udpohServer,
  connectUdp,
]);
