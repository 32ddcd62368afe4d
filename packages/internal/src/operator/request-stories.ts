// The stories of requests: of those that are under way, and of the last sampled ones.

import type { Span } from "./span.ts";

/** A span; without an end while it is under way. */
export interface StorySpan extends Omit<Span, "endTime"> {
  /** In ms since the epoch, with fractions. `null`: it is under way. */
  readonly endTime: number | null;
}

/** What is known of a request. */
export interface RequestStory {
  /** As in logs. */
  readonly requestId: string;
  /** 32 hexadecimal digits; "" if it belongs to no trace. */
  readonly traceId: string;
  /** When its head was complete, in ms since the epoch. */
  readonly startTime: number;
  /** In ms: until its end, or until now. */
  readonly duration: number;
  /** False: it is under way. */
  readonly isOver: boolean;
  /** What it asks for, of whom it came and how: by the names of OpenTelemetry's semantic conventions. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** What was done for it, in the order of their ends; empty if it was not sampled. */
  readonly spans: readonly StorySpan[];
}

/** Finds a request that is under way. */
export type FindOpenRequest = (requestId: string) => RequestStory | undefined;

/** The stories of all servers of a stage. */
export class RequestStories {
  readonly #servers = new Set<FindOpenRequest>();
  /** A ring: the next one takes the place of the oldest. */
  readonly #over: RequestStory[] = [];
  /** Where the oldest one is, or the next one will be. */
  #next = 0;

  /** A server has requests. Returns the function that ends this. */
  join(find: FindOpenRequest): () => void {
    this.#servers.add(find);
    return () => void this.#servers.delete(find);
  }

  /** A sampled request is over. The oldest one is forgotten for it. */
  keep(story: RequestStory): void {
    this.#over[this.#next] = story;
    this.#next = (this.#next + 1) % maxStories;
  }

  /** The story of a request, if it is known. */
  find(requestId: string): RequestStory | undefined {
    for (const find of this.#servers) {
      const open = find(requestId);
      if (open !== undefined) return open;
    }
    return this.#over.find((story) => story.requestId === requestId);
  }

  /** The last sampled ones, the latest first, at most `count`. */
  latest(count: number): readonly RequestStory[] {
    const oldestFirst = [...this.#over.slice(this.#next), ...this.#over.slice(0, this.#next)];
    return oldestFirst.reverse().slice(0, count);
  }
}

/** Not a prop: a trace has at most a few hundred spans, and whoever wants to keep more has a collector. */
const maxStories = 200;
