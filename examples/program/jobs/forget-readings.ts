// forgetReadings: a cronjob that forgets stations that have not been heard for long. Each worker has readings of its
// own, so that each of them runs it.

import { addonKind, defineCronjob, prop } from "@hemi/hemi";
import { storesReadings } from "../exts/reading-store.ts";

export const forgetReadings = defineCronjob({
  sign: "forgetReadings",
  props: {
    store: prop.reference(addonKind, { offering: storesReadings, required: true }),
    /** Older ones are forgotten. */
    maxAge: prop.duration({ default: "1d", min: "1s", max: "365d", reload: "live" }),
    /** Between two looks. */
    interval: prop.duration({ default: "1m", min: "100ms", max: "1d" }),
  },
  create({ props, log, stage }) {
    let timer: NodeJS.Timeout | undefined;
    return {
      start() {
        timer = setInterval(() => {
          const forgotten = props.store.current.readings.forgetBefore(stage.clock.now() - props.maxAge);
          if (forgotten > 0) log.info("forgot stations that are not heard any more", { forgotten });
        }, props.interval).unref();
      },
      shutdown() {
        clearInterval(timer);
      },
    };
  },
});
