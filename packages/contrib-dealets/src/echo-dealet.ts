// echoDealet: sends back what comes (RFC 862).

import { Deadlines, type Deadline } from "@hemi/common";
import { defineDealet, prop, tcpsDealet, udpsDealet } from "@hemi/internal";

/** Sends back what comes, at the pace of the client; of datagrams, each one as often as it comes. For tests. */
export const echoDealet = defineDealet({
  sign: "echoDealet",
  props: {
    /** Closes a connection without a byte for this time. */
    idleTimeout: prop.duration({ default: "1m", min: "1ms", reload: "live" }),
  },
  offers: [tcpsDealet, udpsDealet],
  create({ props, log }) {
    const deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    const idles = new Set<Deadline>();
    return {
      takeConn(conn) {
        const { link } = conn;
        const idle = deadlines.add(() => conn.close("idleTimeout"));
        idle.set(props.idleTimeout);
        idles.add(idle);
        conn.begin({
          received(bytes, isShared) {
            idle.set(props.idleTimeout);
            if (!link.write(bytes, isShared)) link.hold(true);
          },
          drained() {
            idle.set(props.idleTimeout);
            link.hold(false);
          },
          ended: () => link.end(),
          closed() {
            idle.clear();
            idles.delete(idle);
          },
        });
        return true;
      },
      takeSession(session) {
        session.begin({ received: (datagram) => void session.send(datagram), closed: () => {} });
        return true;
      },
      update(changed) {
        if (changed.has("idleTimeout")) for (const idle of idles) idle.set(props.idleTimeout);
      },
      shutdown: () => deadlines.close(),
      explain: () => ({ takes: "yes", text: "sends back what comes" }),
    };
  },
});
