// readingsApp: the readings for browsers and programs.

import { addonKind, defineHandlet, HTTPError, Mapper, prop } from "@hemi/hemi";
import { storesReadings } from "../exts/reading-store.ts";

export const readingsApp = defineHandlet({
  sign: "readingsApp",
  props: {
    /** Where readings come from. */
    store: prop.reference(addonKind, { offering: storesReadings, required: true }),
  },
  create: ({ props, workers }) =>
    new Mapper()
      .get("/readings", (_req, resp) => {
        resp.setHeader("x-worker", String(workers.slot));
        return props.store.current.readings.all;
      })
      .get("/readings/:station", (_req, _resp, { station }) => {
        const reading = props.store.current.readings.all.find((one) => one.station === station);
        if (reading === undefined) throw new HTTPError(404);
        return reading;
      }),
});
