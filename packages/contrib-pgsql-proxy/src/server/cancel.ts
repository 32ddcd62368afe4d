// Asks a server to cancel what one of its sessions does: on a connection of its own, without a reply ("Canceling
// Requests in Progress").

import type { Deadline } from "@hemi/common";
import { type DialUser, type LinkUser, secured, type ServerTls } from "@hemi/internal";
import { cancelRequest, tlsRequest } from "../protocol/startup.ts";
import type { ServerConn } from "./server-conn.ts";

/** Whether it helps is not known. Gives up after a while. */
export function cancelAt(server: ServerConn, tls: ServerTls, makeDeadline: (onExpired: () => void) => Deadline): void {
  const finish = server.cancelling();
  const deadline = makeDeadline(() => {
    dialling.cancel();
    finish();
  });
  const over = (): void => {
    deadline.clear();
    finish();
  };
  deadline.set(timeout);
  const request = cancelRequest(server.id, server.key);
  const user: LinkUser & DialUser = {
    connected(link) {
      let current = link;
      link.use({
        ...user,
        received(bytes) {
          if (current !== link) return;
          if (bytes.length !== 1 || bytes[0] !== 83) return dialling.cancel();
          current = secured(link, tls, server.node, user, () => void current.write(request, false));
        },
      });
      link.hold(false);
      link.write(tls.mode === "off" ? request : tlsRequest, false);
    },
    failed: over,
    nodeDown: () => {},
    received: () => {},
    // The server closes when it has passed the request on.
    ended: () => {
      dialling.cancel();
      over();
    },
    drained: () => {},
    closed: over,
  };
  const nobody = { address: "", port: 0 };
  const about = { serverName: "", nextProto: "", tls: undefined };
  const wish = { key: "", stickTo: "", tried: [], only: server.node, from: nobody, to: nobody, about };
  const dialling = server.backend.dial(wish, user);
}

/** In milliseconds. */
const timeout = 5000;
