// The props that all exporters of lines have.

import { prop } from "@hemi/internal";

/** Spread this into the props of an exporter. */
export const exporterProps = {
  /** Whether it takes the lines of the error log, too, beside the log's own destination. */
  errorLog: prop.bool({ default: false }),
  /** Lines that wait for the receiver, in each worker. Further ones are dropped, and counted. */
  maxQueue: prop.integer({ default: 8192, min: 1, max: 1_000_000, reload: "live" }),
  /** Time limit for a connection, for a receiver that reads nothing, and for all that is left at the end. */
  timeout: prop.duration({ default: "10s", min: "10ms", max: "5m", reload: "live" }),
};
