// tarpitDealet: keeps unwanted clients busy.

import { randomBytes } from "node:crypto";
import { Deadlines } from "@hemi/common";
import { defineDealet, prop, type TcpsConn, tcpsDealet } from "@hemi/internal";

/**
 * Holds a connection open and sends a line of nonsense now and then, so that scanners wait instead of trying others. It
 * reads nothing more than the system's buffer takes. Connections beyond `maxConns` are closed at once.
 */
export const tarpitDealet = defineDealet({
  sign: "tarpitDealet",
  props: {
    /** Time between two lines. */
    interval: prop.duration({ default: "10s", min: "1ms", max: "1h", reload: "live" }),
    /** How long a connection is held. After that it is closed. */
    duration: prop.duration({ default: "10m", min: "1ms", reload: "live" }),
    /** Maximum number of connections that are held at once. They count towards `maxConns` of the router, too. */
    maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  },
  offers: [tcpsDealet],
  create({ props, log }) {
    const deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    let held = 0;

    const hold = (conn: TcpsConn): void => {
      const end = deadlines.add(() => conn.close("maxDuration"));
      const next = deadlines.add(() => {
        // A client that does not read gets no more.
        if (!conn.link.isDestroyed && conn.link.write(Buffer.from(line()), false)) next.set(props.interval);
      });
      held++;
      end.set(props.duration);
      next.set(props.interval);
      conn.begin({
        received: () => conn.link.hold(true),
        drained: () => next.set(props.interval),
        ended: () => conn.close("complete"),
        closed() {
          held--;
          end.clear();
          next.clear();
        },
      });
    };

    return {
      takeConn(conn) {
        if (held >= props.maxConns) conn.close("refused");
        else hold(conn);
        return true;
      },
      shutdown: () => deadlines.close(),
      explain: () => ({ takes: "yes", text: "holds it and sends nonsense" }),
    };
  },
});

/** Neither the greeting of SSH nor of anything else. */
function line(): string {
  return `${randomBytes(8).toString("hex")}\r\n`;
}
