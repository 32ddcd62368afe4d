// daytimeServer: a server of one's own, for a protocol that the engine does not have: tells the time and hangs up (RFC
// 867).

import type { Socket } from "node:net";
import { claimAddress, defineServer, Gate, numericAddress, prop, type GateConn, type ListenerShare } from "@hemi/hemi";

export const daytimeServer = defineServer({
  sign: "daytimeServer",
  props: {
    address: prop.address({ default: ":13" }),
    /** Connections at once. */
    maxConns: prop.integer({ default: 1000, min: 1, reload: "live" }),
  },
  check(context) {
    claimAddress(context);
  },
  create(context) {
    const { props, log, stage, listeners } = context;
    let share: ListenerShare | undefined;
    let gate: Gate<GateConn> | undefined;

    function serve(socket: Socket): GateConn {
      const conn: GateConn = {
        // An answer is one write: there is nothing to finish.
        drain: () => {},
        destroy: () => void socket.destroy(),
      };
      socket.on("error", () => {});
      socket.on("close", () => gate?.closed(conn));
      // Whatever the client sends is thrown away, as the RFC says; one that sends without reading is cut off.
      socket.resume();
      socket.setTimeout(10_000, () => socket.destroy());
      socket.end(`${stage.clock.date()}\r\n`);
      return conn;
    }

    return {
      async prepare() {
        share = await listeners.share(await numericAddress(props.address, stage.namer), context);
        gate = new Gate({
          share,
          maxConns: () => props.maxConns,
          open: serve,
          refused: () => log.warn("refused a connection: there are too many", { maxConns: props.maxConns }),
          failed: (error) => log.error("failed at a connection", { error }),
        });
      },
      start: () => gate?.open(),
      drain: () => gate?.drain(),
      shutdown: () => gate?.shutdown(),
      get listensOn() {
        return share === undefined ? [] : [share.address];
      },
    };
  },
});
