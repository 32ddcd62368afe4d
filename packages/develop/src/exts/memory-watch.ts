// memoryWatch: an addon that warns when the process takes more memory than it should.

import { defineAddon, prop } from "@hemi/hemi";

export const memoryWatch = defineAddon({
  sign: "memoryWatch",
  props: {
    /** Resident memory above this is told to the log. */
    limit: prop.size({ default: "512M", reload: "live" }),
    /** Between two looks. */
    interval: prop.duration({ default: "30s", min: "10ms" }),
  },
  create({ props, log }) {
    let timer: NodeJS.Timeout | undefined;
    let wasAbove = false;

    function look(): void {
      const memory = process.memoryUsage.rss();
      const isAbove = memory > props.limit;
      // Told once each time that the limit is passed, not at each look.
      if (isAbove && !wasAbove)
        log.warn("the process takes more memory than its limit", { memory, limit: props.limit });
      wasAbove = isAbove;
    }

    return {
      start() {
        look();
        timer = setInterval(look, props.interval).unref();
      },
      shutdown() {
        clearInterval(timer);
      },
    };
  },
});
