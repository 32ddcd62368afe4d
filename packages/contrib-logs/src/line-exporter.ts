// The part of an addon that sends lines: a bounded queue before a carrier.
//
//   takeLine ──> BatchQueue ──> carrier ──> syslog, journald
//                   │ full           └─ fails: the same lines again, a second later
//                   └──> dropped, and counted

import { BatchQueue, type BatchOutcome } from "@hemi/common";
import {
  type Context,
  exportedRecord,
  type ExportedLine,
  exporterGroup,
  increase,
  type LineSink,
  Outage,
  ownLabels,
  type Part,
  type PropsOf,
} from "@hemi/internal";
import type { Carrier } from "./carriers/carrier.ts";
import { failureText } from "./carriers/failure-text.ts";
import type { exporterProps } from "./exporter-props.ts";

export interface LineExporterOptions {
  /** For messages: `syslog at 127.0.0.1:514`. */
  readonly receiver: string;
  readonly carrier: Carrier;
  /** What is sent for a line. */
  readonly format: (line: ExportedLine) => Buffer;
}

/** No request waits for it, and no receiver fills its memory. */
export class LineExporter implements Part, LineSink {
  readonly #context: Context<PropsOf<typeof exporterProps>>;
  readonly #options: LineExporterOptions;
  readonly #queue: BatchQueue<Buffer>;
  readonly #outage: Outage;
  #droppedSince = 0;
  /** Aborted when the receiver has had its time at the end. */
  readonly #ending = new AbortController();
  #unfollow: (() => void) | undefined;

  constructor(context: Context<PropsOf<typeof exporterProps>>, options: LineExporterOptions) {
    this.#context = context;
    this.#options = options;
    const { receiver } = options;
    this.#outage = new Outage(context.log, {
      begins: `${receiver} takes no lines`,
      ends: `${receiver} takes lines again`,
    });
    const { props, metrics } = context;
    const numbers = metrics.numbers(exporterGroup, ownLabels(context));
    this.#queue = new BatchQueue<Buffer>({
      limits: new QueueLimits(props),
      maxTries: Infinity,
      retryAfter,
      send: (messages) => this.#send(messages),
      sent: (count) => increase(numbers, exporterGroup.at.sentLines, count),
      dropped: (count) => {
        increase(numbers, exporterGroup.at.droppedLines, count);
        this.#droppedSince += count;
      },
    });
  }

  takeLine(line: ExportedLine): void {
    this.#queue.add(this.#options.format(line));
  }

  prepare(): void {
    const { props, log } = this.#context;
    if (!props.errorLog) return;
    this.#unfollow = log.follow((record) => {
      // Not what it says about its receiver: each failure would make lines that fail.
      if (record.path !== this.#context.path) this.takeLine(exportedRecord(record));
    });
  }

  /** The components that use it rank higher, and have finished by now. */
  async shutdown(): Promise<void> {
    this.#unfollow?.();
    const timer = setTimeout(() => this.#ending.abort(), this.#context.props.timeout);
    await this.#queue.close();
    clearTimeout(timer);
    await this.#options.carrier.close();
  }

  async #send(messages: readonly Buffer[]): Promise<BatchOutcome> {
    try {
      await this.#options.carrier.send(messages, this.#context.props.timeout, this.#ending.signal);
    } catch (error) {
      this.#outage.begin(failureText(error));
      return "again";
    }
    if (this.#outage.end({ dropped: this.#droppedSince })) this.#droppedSince = 0;
    return "accepted";
  }
}

/** With `maxQueue` as it is at the moment: the prop is live. */
class QueueLimits {
  readonly maxBatch = 256;
  /** In milliseconds: how long a line waits for others. */
  readonly interval = 100;
  readonly #props: PropsOf<typeof exporterProps>;

  constructor(props: PropsOf<typeof exporterProps>) {
    this.#props = props;
  }

  get maxQueue(): number {
    return this.#props.maxQueue;
  }
}

/** In milliseconds. */
const retryAfter = 1000;
