// readingServer: a server for the stations, which send lines such as `oslo -3.5` over TCP.

import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import {
  addonKind,
  claimAddress,
  defineServer,
  Gate,
  numericAddress,
  prop,
  type GateConn,
  type ListenerShare,
} from "@hemi/hemi";
import { storesReadings } from "../exts/reading-store.ts";
import { parseReading } from "../libs/readings.ts";

export const readingServer = defineServer({
  sign: "readingServer",
  props: {
    address: prop.address({ required: true }),
    /** Where readings go. */
    store: prop.reference(addonKind, { offering: storesReadings, required: true }),
    /** Connections at once. */
    maxConns: prop.integer({ default: 100, min: 1, max: 10_000, reload: "live" }),
    /** A station that sends nothing for so long is cut off. */
    idleTimeout: prop.duration({ default: "1m", min: "1s", max: "1h", reload: "live" }),
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
        // What has arrived is read; then the station connects to the next worker.
        drain: () => void socket.end(),
        destroy: () => void socket.destroy(),
      };
      socket.on("error", () => {});
      socket.on("close", () => gate?.closed(conn));
      socket.setTimeout(props.idleTimeout, () => socket.destroy());
      socket.setEncoding("latin1");
      let received = 0;
      socket.on("data", (text: string) => {
        received = text.includes("\n") ? 0 : received + text.length;
        if (received > maxLine) socket.destroy();
      });
      createInterface({ input: socket }).on("line", (line) => {
        const reading = parseReading(line, stage.clock.now());
        if (reading === undefined) return void socket.end("what is that?\n");
        props.store.current.publish(reading);
        socket.write("thank you\n");
      });
      return conn;
    }

    return {
      async prepare() {
        share = await listeners.share(await numericAddress(props.address, stage.namer), context);
        gate = new Gate({
          share,
          maxConns: () => props.maxConns,
          open: serve,
          refused: () => log.warn("refused a station: there are too many", { maxConns: props.maxConns }),
          failed: (error) => log.error("failed at a connection", { error }),
        });
      },
      start() {
        gate?.open();
        log.info(`listens on ${share?.address ?? ""}`);
      },
      drain: () => gate?.drain(),
      shutdown: () => gate?.shutdown(),
      get listensOn() {
        return share === undefined ? [] : [share.address];
      },
    };
  },
});

/** In characters. */
const maxLine = 100;
