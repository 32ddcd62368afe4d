// The props of `otel`.

import { prop } from "@hemi/internal";

export const otelProps = {
  /** The collector: spans are sent to `/v1/traces` below it, and lines of logs to `/v1/logs`. */
  endpoint: prop.string({
    required: true,
    pattern: { expression: /^https?:\/\/[^\s?#]+$/, takes: "a URL such as http://127.0.0.1:4318" },
  }),
  /** How spans and lines are encoded. */
  format: prop.choice(["protobuf", "json"], { default: "protobuf" }),
  /** Fields of the requests, such as a key of the collector. */
  headers: prop.dict(prop.string(), { default: {} }),
  /** The name of this program in the collector: `service.name`. */
  serviceName: prop.string({ default: "hemi" }),
  /** Whether the lines of the error log are sent, too, beside its own destination. */
  errorLog: prop.bool({ default: false }),
  /** Spans that wait for the collector, in each worker; and as many lines. Further ones are dropped, and counted. */
  maxQueue: prop.integer({ default: 8192, min: 1, max: 1_000_000, reload: "live" }),
  /** Spans or lines in one request. */
  maxBatch: prop.integer({ default: 512, min: 1, max: 100_000, reload: "live" }),
  /** How long a span or line waits for others at most, and the time between two tries. */
  interval: prop.duration({ default: "5s", min: "10ms", max: "10m", reload: "live" }),
  /** Time limit for a request. */
  timeout: prop.duration({ default: "10s", min: "1ms", max: "5m", reload: "live" }),
};
