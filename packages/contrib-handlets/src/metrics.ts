// metrics: what the components of all workers have counted, as text for Prometheus.

import { finishInSlices, SingleFlight } from "@hemi/common";
import {
  answerOtherMethod,
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  metricsFormats,
  type MetricsFormat,
  prometheusTextSteps,
  prop,
  type PropsOf,
  type Request,
  type Response,
  watchProcess,
} from "@hemi/internal";

const props = {
  /** How long a text is sent again before the numbers are collected anew: many scrapers cost as much as one. */
  maxAge: prop.duration({ default: "1s", max: "1m", reload: "live" }),
};

/**
 * Sends the numbers of all workers, summed, in the text format of Prometheus, or in OpenMetrics for a client that
 * accepts it. Takes every request that reaches it: give its rule the condition `$path == "/metrics"`, and put an
 * `accessChecker` before it. Other methods than GET and HEAD get 405; if a worker cannot reach the leader, 503.
 */
export const metrics = defineHandlet({
  sign: "metrics",
  props,
  takesAll: () => true,
  create: (context): HandletPart => new MetricsHandlet(context),
});

interface Scrape {
  readonly text: Buffer;
  /** In ms, on the monotonic clock. */
  readonly madeAt: number;
  /** Forgets it. */
  readonly timer: NodeJS.Timeout;
}

class MetricsHandlet implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #flights = new SingleFlight<Buffer>();
  /** For `maxAge`: what nobody asks for again holds no memory. */
  readonly #latest = new Map<MetricsFormat, Scrape>();
  #unwatch: (() => void) | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  prepare(): void {
    const { metrics, workers } = this.#context;
    this.#unwatch = watchProcess(metrics, workers.slot);
  }

  shutdown(): void {
    this.#unwatch?.();
    for (const { timer } of this.#latest.values()) clearTimeout(timer);
    this.#latest.clear();
  }

  handle(req: Request, resp: Response): true | Promise<true> {
    if (req.method === "GET" || req.method === "HEAD") return this.#send(formatFor(req.header("accept")), resp);
    answerOtherMethod(req, resp, ["GET", "HEAD"]);
    return true;
  }

  explain({ method }: Request): Explanation {
    if (method === "GET" || method === "HEAD") return { takes: "yes", status: 200, text: "sends the metrics" };
    return { takes: "yes", status: method === "OPTIONS" ? 204 : 405, text: `${method} is not for metrics` };
  }

  async #send(format: MetricsFormat, resp: Response): Promise<true> {
    const text = await this.#scrape(format);
    resp.setHeader("content-type", metricsFormats[format]);
    resp.setHeader("cache-control", "no-store");
    // One buffer for all who ask at the same time: those who never read it hold no copies.
    resp.send(text);
    return true;
  }

  async #scrape(format: MetricsFormat): Promise<Buffer> {
    const { stage, props } = this.#context;
    const latest = this.#latest.get(format);
    if (latest !== undefined && stage.clock.monotonic() - latest.madeAt < props.maxAge) return latest.text;
    return await this.#flights.run(format, () => this.#collect(format));
  }

  async #collect(format: MetricsFormat): Promise<Buffer> {
    const { workers, metrics } = this.#context;
    const report = await workers.sumCounts(metrics);
    const text = await finishInSlices(prometheusTextSteps(report, format), sliceTime);
    if (this.#context.props.maxAge > 0) this.#keep(format, text);
    return text;
  }

  #keep(format: MetricsFormat, text: Buffer): void {
    const { stage, props } = this.#context;
    clearTimeout(this.#latest.get(format)?.timer);
    const timer = setTimeout(() => this.#latest.delete(format), props.maxAge).unref();
    this.#latest.set(format, { text, madeAt: stage.clock.monotonic(), timer });
  }
}

/** Prometheus lists what it takes, the best first, and gives each a weight. A client that says nothing is a person. */
function formatFor(accept = ""): MetricsFormat {
  return accept.includes("application/openmetrics-text") ? "openMetrics" : "prometheus";
}

/** In ms. */
const sliceTime = 2;
